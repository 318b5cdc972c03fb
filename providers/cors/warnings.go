package cors

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// ExposedHeaders returns the response headers that a page needs to read
// objects in ranges and to see whether they changed.
func ExposedHeaders() []string { return []string{"Content-Length", "Content-Range", "ETag"} }

// warnings are what works today and will hurt. Some show only on the answer
// to a request itself; a server that puts no CORS headers on it, because
// nobody may read there without credentials, leaves those open.
func (p page) warnings(ctx context.Context, e exchange) (checks []tasks.Check) {
	warn := func(code, evidence, fix string) {
		checks = append(checks, tasks.Check{Status: tasks.CheckWarn, Code: code, Evidence: evidence, Fix: p.fix(fix)})
	}
	if e.anyOrigin() && slices.ContainsFunc(p.want.Headers, confidential) {
		warn(codeWildcard, "every origin is allowed, for requests that carry credentials: "+e.String(),
			"Name "+e.origin+" in the rule instead of *; browsers refuse * for requests with cookies.")
	}
	if slices.Contains(p.want.Headers, "authorization") && !slices.ContainsFunc(items(e.header, "Access-Control-Allow-Headers"), isAuthorization) {
		warn(codeStar, "the allowed headers are *, which by the Fetch standard does not cover authorization: "+e.String(),
			"Name authorization in the rule's allowed headers beside *.")
	}
	answer := e
	if own, ok := p.request(ctx); ok {
		answer = own
		if missing := own.hidden(); len(missing) > 0 {
			warn(codeNotExposed, "a page cannot read "+strings.Join(missing, ", ")+" of an answer",
				"Expose "+strings.Join(missing, ", ")+": pages need them to read objects in ranges.")
		}
	}
	if !answer.anyOrigin() && !lists(answer.header, "Vary", "Origin") {
		warn(codeVary, "the answer depends on the origin and does not say Vary: Origin: "+answer.String(),
			"Let the server, or the cache in front of it, send Vary: Origin: a cache may else give one site's answer to another.")
	}
	return checks
}

// request is the one that the preflight was for, without the credentials.
func (p page) request(ctx context.Context) (exchange, bool) {
	for _, verb := range []string{http.MethodGet, http.MethodHead} {
		if !slices.Contains(p.want.Methods, verb) {
			continue
		}
		e, err := p.send(ctx, verb, question{origin: p.want.Origin}, func(h http.Header) { h.Set("Range", "bytes=0-0") })
		return e, err == nil && e.allowsOrigin()
	}
	return exchange{}, false
}

func (e exchange) anyOrigin() bool { return e.header.Get("Access-Control-Allow-Origin") == "*" }

func isAuthorization(header string) bool { return strings.EqualFold(header, "authorization") }

// hidden are the headers that the answer does not expose. Content-Length
// needs it no more: the Fetch standard safelists it, so only the advice names
// it, for old browsers.
func (e exchange) hidden() []string {
	return slices.DeleteFunc(ExposedHeaders(), func(name string) bool {
		return name == "Content-Length" || lists(e.header, "Access-Control-Expose-Headers", name)
	})
}

// confidential guesses by its name whether a header carries a credential.
func confidential(header string) bool {
	return slices.ContainsFunc([]string{"authorization", "cookie", "token", "key", "signature"}, func(word string) bool {
		return strings.Contains(header, word)
	})
}
