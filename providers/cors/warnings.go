package cors

import (
	"context"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// ExposedHeaders returns the response headers that a page needs to
// read objects in ranges and to see whether they changed.
func ExposedHeaders() []string { return []string{"Content-Length", "Content-Range", "ETag"} }

// warnings returns what works now and will cause trouble later. Some
// of it shows only in the answer to a request without preflight. If
// that answer has no CORS headers, because it needs credentials,
// those warnings are left out.
func (p page) warnings(ctx context.Context, e exchange) (checks []tasks.Check) {
	warn := func(code, evidence, fix string) {
		checks = append(checks, check.Warn(code, evidence, p.fix(fix)))
	}
	if e.allowsAnyOrigin() && slices.ContainsFunc(p.want.Headers, isConfidential) {
		warn(codeWildcard,
			"every origin is allowed, for requests that carry credentials: "+e.String(),
			"Name "+e.origin+" in the rule instead of *; "+
				"browsers refuse * for requests with cookies.")
	}
	if slices.Contains(p.want.Headers, "authorization") && !e.namesAuthorization() {
		warn(codeStar,
			"the allowed headers are *, which by the Fetch standard does not cover authorization: "+
				e.String(),
			"Name authorization in the rule's allowed headers beside *.")
	}

	answer := e
	if own, ok := p.request(ctx); ok {
		answer = own
		if hidden := own.hiddenHeaders(); len(hidden) > 0 {
			names := strings.Join(hidden, ", ")
			warn(codeNotExposed, "a page cannot read "+names+" of an answer",
				"Expose "+names+": pages need them to read objects in ranges.")
		}
	}
	if !answer.allowsAnyOrigin() && !lists(answer.header, "Vary", "Origin") {
		warn(codeVary,
			"the answer depends on the origin and does not say Vary: Origin: "+answer.String(),
			"Let the server, or the cache in front of it, send Vary: Origin: "+
				"a cache may otherwise give one site's answer to another.")
	}
	return checks
}

func (e exchange) namesAuthorization() bool {
	allowed := items(e.header, "Access-Control-Allow-Headers")
	return slices.ContainsFunc(allowed, func(header string) bool {
		return strings.EqualFold(header, "authorization")
	})
}

// hiddenHeaders returns the headers that the answer does not expose,
// but for Content-Length: the Fetch standard always exposes it. Only
// the advice names it, for old browsers.
func (e exchange) hiddenHeaders() []string {
	return slices.DeleteFunc(ExposedHeaders(), func(name string) bool {
		return name == "Content-Length" || lists(e.header, "Access-Control-Expose-Headers", name)
	})
}

// isConfidential guesses from its name whether a header carries a
// credential.
func isConfidential(header string) bool {
	words := []string{"authorization", "cookie", "token", "key", "signature"}
	return slices.ContainsFunc(words, func(word string) bool {
		return strings.Contains(header, word)
	})
}
