package cors_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/cors"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const app = "https://app.example"

// rule is the CORS rule of a bucket.
type rule struct {
	origins, methods, headers, expose []string
}

func good() rule {
	return rule{[]string{app}, []string{"GET", "HEAD"}, []string{"authorization"}, []string{"ETag", "Content-Range", "Content-Length"}}
}

func (r rule) origin(o string) string {
	switch {
	case slices.Contains(r.origins, o):
		return o
	case slices.Contains(r.origins, "*"):
		return "*"
	}
	return ""
}

func (r rule) matches(req *http.Request) bool {
	for h := range strings.SplitSeq(req.Header.Get("Access-Control-Request-Headers"), ",") {
		if h != "" && !slices.Contains(r.headers, h) && !slices.Contains(r.headers, "*") {
			return false
		}
	}
	return r.origin(req.Header.Get("Origin")) != "" && slices.Contains(r.methods, req.Header.Get("Access-Control-Request-Method"))
}

// answer describes how a cloud answers a preflight that matches a
// rule, and one that does not.
type answer struct {
	yes, no int
	body    string // of the refusal
	strict  bool   // a preflight without a method is a bad request
	vary    bool
}

// clouds describes the clouds as their documentation and emulators
// do.
var clouds = map[string]answer{
	"s3":    {200, 403, "<Error><Code>AccessForbidden</Code></Error>", true, true},
	"gcs":   {200, 200, "", false, true},
	"azure": {200, 403, "CorsPreflightFailure", true, true},
	"minio": {204, 204, "", false, true},
}

func serve(t testing.TB, a answer, r rule) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		h := w.Header()
		set := func() {
			h.Set("Access-Control-Allow-Origin", r.origin(req.Header.Get("Origin")))
			if a.vary {
				h.Add("Vary", "Accept-Encoding, Origin")
			}
		}
		switch {
		case req.Header.Get("Authorization")+req.Header.Get("Cookie") != "":
			t.Error("a preflight with credentials")
		case req.Method != http.MethodOptions:
			if r.origin(req.Header.Get("Origin")) != "" && slices.Contains(r.methods, req.Method) {
				set()
				h.Set("Access-Control-Expose-Headers", strings.Join(r.expose, ", "))
			}
			w.WriteHeader(http.StatusForbidden)
		case a.strict && req.Header.Get("Access-Control-Request-Method") == "":
			w.WriteHeader(http.StatusBadRequest)
		case r.matches(req):
			set()
			h.Set("Access-Control-Allow-Methods", strings.Join(r.methods, ", "))
			if asked := req.Header.Get("Access-Control-Request-Headers"); asked != "" {
				h.Set("Access-Control-Allow-Headers", asked)
			}
			w.WriteHeader(a.yes)
		default:
			w.WriteHeader(a.no)
			_, _ = io.WriteString(w, a.body)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func check(t testing.TB, s *httptest.Server, want tasks.CORS) []tasks.Check {
	t.Helper()
	if want.Origin == "" {
		want.Origin = app
	}
	checks := cors.Check(t.Context(), s.Client(), s.URL+"/bucket/a%20b.jpg?sig=secret", want, func(w tasks.CORS) string {
		return fmt.Sprintf("ADVICE for %s %v %v", w.Origin, w.Methods, w.Headers)
	})
	for _, c := range checks {
		if c.ID != "cors" || c.Evidence == "" || c.Status != tasks.CheckOK && c.Code == "" || strings.Contains(c.Evidence+c.Fix, "secret") {
			t.Errorf("%+v", c)
		}
		if c.Status == tasks.CheckFail && c.Fix == "" {
			t.Errorf("a failure without a fix: %+v", c)
		}
	}
	return checks
}

func brief(checks []tasks.Check) string {
	var all []string
	for _, c := range checks {
		all = append(all, strings.TrimSpace(string(c.Status)+" "+c.Code))
	}
	return strings.Join(all, ", ")
}

// Every fault, on every cloud, gives one failed check that names it.
func TestCheck_Clouds(t *testing.T) {
	t.Parallel()
	with := func(change func(*rule)) rule {
		r := good()
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		rule rule
		want tasks.CORS
		told string
		fix  string
	}{
		"good":             {good(), tasks.CORS{}, "ok", ""},
		"more than needed": {with(func(r *rule) { r.methods = append(r.methods, "PUT") }), tasks.CORS{Methods: []string{"get", "PUT"}, Headers: []string{"Accept", "Authorization"}}, "ok", ""},
		"no rules":         {rule{}, tasks.CORS{}, "fail OriginNotAllowed", "Allow the origin https://app.example: no rule does. ADVICE for https://app.example [GET HEAD] [authorization]"},
		"another origin":   {with(func(r *rule) { r.origins = []string{"https://www.example"} }), tasks.CORS{}, "fail OriginNotAllowed", "https://app.example"},
		"brackets":         {with(func(r *rule) { r.origins = []string{"<" + app + ">"} }), tasks.CORS{}, "fail OriginInAngleBrackets", "The rule names <https://app.example>, with angle brackets around it: take < and > away"},
		"brackets and more": {with(func(r *rule) { r.origins, r.headers = []string{"<" + app + ">"}, nil }), tasks.CORS{},
			"fail OriginInAngleBrackets", "angle brackets"},
		"slash":          {with(func(r *rule) { r.origins = []string{app + "/"} }), tasks.CORS{}, "fail OriginWithSlash", "The rule names https://app.example/, with a slash"},
		"other scheme":   {with(func(r *rule) { r.origins = []string{"http://app.example"} }), tasks.CORS{}, "fail OriginWithOtherScheme", "http://app.example, and not https://app.example"},
		"secure instead": {good(), tasks.CORS{Origin: "http://app.example"}, "fail OriginWithOtherScheme", "https://app.example, and not http://app.example"},
		"no HEAD":        {with(func(r *rule) { r.methods = []string{"GET"} }), tasks.CORS{}, "fail MethodNotAllowed", "Add HEAD to the methods of the rule for https://app.example. ADVICE"},
		"writes only":    {with(func(r *rule) { r.methods = []string{"PUT"} }), tasks.CORS{}, "fail MethodNotAllowed", "Add GET, HEAD to the methods"},
		"no PUT":         {good(), tasks.CORS{Methods: []string{"GET", "PUT"}}, "fail MethodNotAllowed", "Add PUT to"},
		"no headers":     {with(func(r *rule) { r.headers = nil }), tasks.CORS{}, "fail HeaderNotAllowed", "Add authorization to the allowed headers of the rule for https://app.example. ADVICE"},
		"one header": {good(), tasks.CORS{Headers: []string{"X-Two", "authorization", "X-One"}}, "fail HeaderNotAllowed",
			"Add x-one, x-two to the allowed headers"},
		"star": {with(func(r *rule) { r.origins = []string{"*"} }), tasks.CORS{}, "ok, warn WildcardOrigin", ""},
		"star without credentials": {with(func(r *rule) { r.origins, r.headers = []string{"*"}, []string{"*"} }),
			tasks.CORS{Headers: []string{"range"}}, "ok", ""},
		"nothing exposed": {with(func(r *rule) { r.expose = []string{"Access-Control-Allow-Origin"} }), tasks.CORS{}, "ok, warn HeadersNotExposed", ""},
	} {
		for cloud, a := range clouds {
			t.Run(name+"/"+cloud, func(t *testing.T) {
				t.Parallel()
				checks := check(t, serve(t, a, c.rule), c.want)
				if got := brief(checks); got != c.told || !strings.Contains(checks[0].Fix, c.fix) {
					t.Errorf("got %q, want %q: %+v", got, c.told, checks)
				}
			})
		}
	}
}

func TestCheck_Evidence(t *testing.T) {
	t.Parallel()
	s := serve(t, clouds["minio"], rule{})
	want := "OPTIONS " + s.URL + "/bucket/a%20b.jpg with Origin: https://app.example; Access-Control-Request-Method: GET; " +
		"Access-Control-Request-Headers: authorization,x-a got 204 without Access-Control headers"
	if got := check(t, s, tasks.CORS{Headers: []string{"X-A", "authorization"}})[0].Evidence; got != want {
		t.Errorf("got %q", got)
	}
	s = serve(t, clouds["s3"], good())
	want = "got 200 with Access-Control-Allow-Origin: https://app.example; Access-Control-Allow-Methods: GET, HEAD; Access-Control-Allow-Headers: authorization"
	if got := check(t, s, tasks.CORS{})[0].Evidence; !strings.Contains(got, want) {
		t.Errorf("got %q", got)
	}
}

// Some servers answer every preflight in the same way.
func TestCheck_FixedAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		header http.Header
		told   string
		method string // that is asked for; empty means the default, GET and HEAD
	}{
		"another's origin": {200, http.Header{"Access-Control-Allow-Origin": {"https://www.example"}, "Access-Control-Allow-Methods": {"GET, HEAD"}}, "fail OriginNotAllowed", ""},
		"two origins":      {200, http.Header{"Access-Control-Allow-Origin": {app, "*"}, "Access-Control-Allow-Methods": {"GET, HEAD"}}, "fail OriginNotAllowed", ""},
		// The Fetch standard safelists GET, HEAD and POST.
		"other methods": {204, http.Header{
			"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Methods": {"PUT"}, "Access-Control-Allow-Headers": {"Authorization"}, "Access-Control-Expose-Headers": {"*"},
		}, "ok, warn WildcardOrigin", ""},
		"no methods": {204, http.Header{
			"Access-Control-Allow-Origin": {app}, "Access-Control-Allow-Headers": {"Authorization"}, "Access-Control-Expose-Headers": {"*"}, "Vary": {"Origin"},
		}, "ok", ""},
		"no methods, POST": {204, http.Header{
			"Access-Control-Allow-Origin": {app}, "Access-Control-Allow-Headers": {"Authorization"}, "Vary": {"Origin"},
		}, "ok", "POST"},
		"no methods, DELETE": {204, http.Header{
			"Access-Control-Allow-Origin": {app}, "Access-Control-Allow-Headers": {"Authorization"},
		}, "fail MethodNotAllowed", "DELETE"},
		"headers":         {200, http.Header{"Access-Control-Allow-Origin": {app}, "Access-Control-Allow-Methods": {"*"}, "Access-Control-Allow-Headers": {"Range"}}, "fail HeaderNotAllowed", ""},
		"status":          {401, http.Header{"Access-Control-Allow-Origin": {app}, "Access-Control-Allow-Methods": {"*"}, "Access-Control-Allow-Headers": {"Authorization"}}, "fail PreflightStatus", ""},
		"redirect":        {307, http.Header{"Location": {"https://elsewhere.example"}}, "fail PreflightRedirected", ""},
		"trouble":         {503, nil, "unknown ServerTrouble", ""},
		"not implemented": {501, nil, "fail OriginNotAllowed", ""},
		"star for headers": {200, http.Header{
			"Access-Control-Allow-Origin": {app}, "Access-Control-Allow-Methods": {"GET", "HEAD"}, "Access-Control-Allow-Headers": {"*"},
			"Access-Control-Expose-Headers": {"*"}, "Vary": {"Origin"},
		}, "ok, warn WildcardHeaders", ""},
		"no vary": {200, http.Header{
			"Access-Control-Allow-Origin": {app}, "Access-Control-Allow-Methods": {"GET", "HEAD"}, "Access-Control-Allow-Headers": {"Authorization"},
			"Access-Control-Expose-Headers": {"*"},
		}, "ok, warn VaryMissing", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range c.header {
					w.Header()[name] = values
				}
				w.WriteHeader(c.status)
			}))
			defer s.Close()
			var want tasks.CORS
			if c.method != "" {
				want.Methods = []string{c.method}
			}
			if checks := check(t, s, want); brief(checks) != c.told {
				t.Errorf("got %+v", checks)
			}
		})
	}
}

func TestCheck_NoAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t, clouds["s3"], good())
	s.Close()
	if got := brief(check(t, s, tasks.CORS{})); got != "unknown NoAnswer" {
		t.Error(got)
	}
	if got := brief(cors.Check(t.Context(), http.DefaultClient, "no url", tasks.CORS{Origin: app}, nil)); got != "unknown InvalidTarget" {
		t.Error(got)
	}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got := brief(cors.Check(ctx, silent.Client(), silent.URL, tasks.CORS{Origin: app}, nil)); got != "fail timeout" {
		t.Error(got)
	}
}
