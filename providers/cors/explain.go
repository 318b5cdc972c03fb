package cors

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// explain finds what is missing in the rules by asking for less, and then for
// something else. Most servers refuse a whole preflight in the same way
// whatever they dislike about it.
func (p page) explain(ctx context.Context, e exchange) (tasks.Check, error) {
	if c, sure := p.obvious(e); sure {
		return c, nil
	}
	bare, err := p.preflight(ctx, question{e.origin, e.method, nil})
	if err != nil {
		return tasks.Check{}, err
	}
	switch bare.verdict() {
	case allowed, badStatus:
		return p.headerFault(ctx, e)
	case noOrigin, noMethod, noHeaders:
	}
	known := bare.allowsOrigin()
	for _, other := range []string{"", http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete} {
		if known {
			return p.methodFault(ctx, bare)
		}
		if other == e.method {
			continue
		}
		some, err := p.preflight(ctx, question{e.origin, other, nil})
		if err != nil {
			return tasks.Check{}, err
		}
		known = some.allowsOrigin()
	}
	if known {
		return p.methodFault(ctx, bare)
	}
	return p.originFault(ctx, e)
}

// obvious are answers that tell by themselves.
func (p page) obvious(e exchange) (tasks.Check, bool) {
	switch {
	case e.status >= 300 && e.status < 400:
		return failure(codeRedirected, e, "Browsers follow no redirect of a preflight: let the page use the address that the bucket itself answers at, with the bucket's own region."), true
	case slices.Contains([]int{429, 500, 502, 503, 504}, e.status):
		return tasks.Check{Status: tasks.CheckUnknown, Code: codeServer, Evidence: e.String(), Fix: "Verify again when the server is well."}, true
	case e.verdict() == badStatus:
		return failure(codeStatus, e, fmt.Sprintf("The answer's headers allow it, but browsers want a status of 200 to 299 and not %d: let the server answer OPTIONS without credentials.", e.status)), true
	}
	return tasks.Check{}, false
}

// headerFault names the headers that are refused one by one; if each is let
// through alone, it is all of them together.
func (p page) headerFault(ctx context.Context, e exchange) (tasks.Check, error) {
	var refused []string
	for _, h := range e.headers {
		one, err := p.preflight(ctx, question{e.origin, e.method, []string{h}})
		if err != nil {
			return tasks.Check{}, err
		}
		if one.verdict() != allowed {
			refused = append(refused, h)
		}
	}
	if len(refused) == 0 {
		refused = e.headers
	}
	fix := fmt.Sprintf("Add %s to the allowed headers of the rule for %s.", strings.Join(refused, ", "), e.origin)
	return failure(codeHeader, e, p.fix(fix)), nil
}

// methodFault names every method wanted that the rule lacks.
func (p page) methodFault(ctx context.Context, e exchange) (tasks.Check, error) {
	missing := []string{e.method}
	for _, m := range p.want.Methods {
		if m == e.method {
			continue
		}
		other, err := p.preflight(ctx, question{e.origin, m, nil})
		if err != nil {
			return tasks.Check{}, err
		}
		if v := other.verdict(); v == noOrigin || v == noMethod {
			missing = append(missing, m)
		}
	}
	fix := fmt.Sprintf("Add %s to the methods of the rule for %s.", strings.Join(missing, ", "), e.origin)
	return failure(codeMethod, e, p.fix(fix)), nil
}

// originFault tries the ways in which origins are miswritten in rules.
func (p page) originFault(ctx context.Context, e exchange) (tasks.Check, error) {
	for _, trap := range []struct{ origin, code, text string }{
		// Documents that turn links into <https://...> are copied with them.
		{"<" + e.origin + ">", codeBrackets, "with angle brackets around it: take < and > away, no browser sends them."},
		{e.origin + "/", codeSlash, "with a slash at its end: take it away, an origin has none."},
		{otherScheme(e.origin), codeScheme, "and not " + e.origin + ": an origin's scheme must be the page's own."},
	} {
		written, err := p.preflight(ctx, question{trap.origin, e.method, nil})
		if err != nil {
			return tasks.Check{}, err
		}
		if written.allowsOrigin() {
			c := failure(trap.code, e, p.fix("The rule names "+trap.origin+", "+trap.text))
			c.Evidence += "; " + written.String()
			return c, nil
		}
	}
	return failure(codeOrigin, e, p.fix("Allow the origin "+e.origin+": no rule does.")), nil
}

func otherScheme(origin string) string {
	if rest, ok := strings.CutPrefix(origin, "https:"); ok {
		return "http:" + rest
	}
	return "https:" + strings.TrimPrefix(origin, "http:")
}

func failure(code string, e exchange, fix string) tasks.Check {
	return tasks.Check{Status: tasks.CheckFail, Code: code, Evidence: e.String(), Fix: fix}
}
