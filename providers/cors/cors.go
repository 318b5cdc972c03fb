// Package cors finds out whether a browser page may load objects of a bucket
// by itself: it sends the preflights that a browser would send (Fetch
// standard, "CORS-preflight fetch") and judges the answers as a browser
// would.
//
// It knows preflights, what breaks them, and how the three clouds want their
// rules written. It needs no credentials and no right to read the rules, and
// knows no cloud's client.
package cors

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// The codes of checks.
const (
	codeOrigin      = "OriginNotAllowed"
	codeBrackets    = "OriginInAngleBrackets"
	codeSlash       = "OriginWithSlash"
	codeScheme      = "OriginWithOtherScheme"
	codeMethod      = "MethodNotAllowed"
	codeHeader      = "HeaderNotAllowed"
	codeRedirected  = "PreflightRedirected"
	codeStatus      = "PreflightStatus"
	codeServer      = "ServerTrouble"
	codeTimeout     = "timeout"
	codeWildcard    = "WildcardOrigin"
	codeStar        = "WildcardHeaders"
	codeVary        = "VaryMissing"
	codeNotExposed  = "HeadersNotExposed"
	codeUnreachable = "NoAnswer"
)

// Check asks whether pages of want.Origin may send every method with the
// headers wanted. target is the URL of an object, which need not exist; user,
// query and fragment of it are left out. The first check is the verdict; when
// that is good, warnings may follow. All have the ID "cors". A failed check's
// fix names the element that is missing and ends with what advise says, which
// may be nil.
func Check(ctx context.Context, client *http.Client, target string, want tasks.CORS, advise func(tasks.CORS) string) []tasks.Check {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return []tasks.Check{{ID: "cors", Status: tasks.CheckUnknown, Code: "InvalidTarget", Evidence: "there is no URL to send a preflight to"}}
	}
	once := *client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // as browsers do with preflights
	p := page{
		client: &once, target: (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String(),
		want: Complete(want), advise: advise,
	}
	checks := p.run(ctx)
	for i := range checks {
		checks[i].ID = "cors"
	}
	return checks
}

// page is a page in a browser that wants to load something.
type page struct {
	client *http.Client
	target string
	want   tasks.CORS
	advise func(tasks.CORS) string
}

func (p page) run(ctx context.Context) []tasks.Check {
	var last exchange
	for _, method := range p.want.Methods {
		var err error
		if last, err = p.preflight(ctx, question{p.want.Origin, method, p.want.Headers}); err != nil {
			return []tasks.Check{p.unanswered(ctx, err)}
		}
		if last.verdict() == allowed {
			continue
		}
		failed, err := p.explain(ctx, last)
		if err != nil {
			failed = p.unanswered(ctx, err)
		}
		return []tasks.Check{failed}
	}
	good := tasks.Check{Status: tasks.CheckOK, Evidence: p.want.Origin + " may " + strings.Join(p.want.Methods, ", ") + ": " + last.String()}
	return append([]tasks.Check{good}, p.warnings(ctx, last)...)
}

// Complete fills in the defaults of what a page asks for: GET and HEAD, and
// the header authorization. It writes headers as a browser does: in lower
// case, sorted, without those that need no permission.
func Complete(want tasks.CORS) tasks.CORS {
	methods, headers := want.Methods, want.Headers
	if len(methods) == 0 {
		methods = []string{http.MethodGet, http.MethodHead}
	}
	if len(headers) == 0 {
		headers = []string{"authorization"}
	}
	want.Methods, want.Headers = nil, nil
	for _, m := range methods {
		want.Methods = append(want.Methods, strings.ToUpper(m))
	}
	for _, h := range headers {
		if h = strings.ToLower(h); !slices.Contains([]string{"accept", "accept-language", "content-language"}, h) {
			want.Headers = append(want.Headers, h)
		}
	}
	slices.Sort(want.Headers)
	want.Headers = slices.Compact(want.Headers)
	return want
}

// fix names the missing element, then says how to write the whole rule.
func (p page) fix(missing string) string {
	if p.advise == nil {
		return missing
	}
	return missing + " " + p.advise(p.want)
}
