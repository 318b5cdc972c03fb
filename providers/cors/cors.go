// Package cors finds out whether a browser page may load objects of a
// bucket by itself. It sends the preflights that a browser would send
// (Fetch standard, "CORS-preflight fetch") and judges the answers as
// a browser would.
//
// It knows preflights and what breaks them. It needs no credentials
// and no right to read the rules, and knows no cloud.
package cors

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers/check"
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

// Advice returns how to add a rule that allows what a page wants.
type Advice func(want tasks.CORS) string

// Check finds out whether pages of want.Origin may send every wanted
// method with the wanted headers. target is the URL of an object,
// which need not exist; user, query and fragment of it are not used.
//
// The first check is the verdict. If it is good, warnings may follow.
// All have the ID cors. The fix of a failed check names what the
// rules lack, and ends with the text of advise, which may be nil.
func Check(
	ctx context.Context, client *http.Client, target string, want tasks.CORS, advise Advice,
) []tasks.Check {
	checks := run(ctx, client, target, want, advise)
	for i := range checks {
		checks[i].ID = tasks.CheckIDCORS
	}
	return checks
}

func run(
	ctx context.Context, client *http.Client, target string, want tasks.CORS, advise Advice,
) []tasks.Check {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		unknown := check.Unknown("InvalidTarget", "there is no URL to send a preflight to")
		return []tasks.Check{unknown}
	}
	direct := *client
	direct.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // as browsers do with preflights
	}
	object := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	p := page{
		client: &direct,
		target: object.String(),
		want:   Complete(want),
		advise: advise,
	}
	return p.check(ctx)
}

// page is a browser page that wants to load an object.
type page struct {
	client *http.Client
	target string
	want   tasks.CORS
	advise Advice
}

func (p page) check(ctx context.Context) []tasks.Check {
	var last exchange
	for _, method := range p.want.Methods {
		var err error
		last, err = p.preflight(ctx, question{p.want.Origin, method, p.want.Headers})
		if err != nil {
			return []tasks.Check{p.unanswered(ctx, err)}
		}
		if last.lacks() == nothing {
			continue
		}
		failed, err := p.explain(ctx, last)
		if err != nil {
			failed = p.unanswered(ctx, err)
		}
		return []tasks.Check{failed}
	}
	methods := strings.Join(p.want.Methods, ", ")
	good := check.OK(p.want.Origin + " may " + methods + ": " + last.String())
	return append([]tasks.Check{good}, p.warnings(ctx, last)...)
}

// Complete fills in the defaults of what a page asks for: GET and
// HEAD, and the header authorization. It writes headers as a browser
// does: in lower case, sorted, without those that need no permission.
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
		h = strings.ToLower(h)
		if !slices.Contains([]string{"accept", "accept-language", "content-language"}, h) {
			want.Headers = append(want.Headers, h)
		}
	}
	slices.Sort(want.Headers)
	want.Headers = slices.Compact(want.Headers)
	return want
}

// fix returns what the rules lack, then how to write the whole rule.
func (p page) fix(missing string) string {
	if p.advise == nil {
		return missing
	}
	return missing + " " + p.advise(p.want)
}
