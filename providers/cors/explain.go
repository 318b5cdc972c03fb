package cors

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// explain finds what the rules lack. Most servers refuse a whole
// preflight in the same way, whatever part of it they refuse. So
// explain asks for less, and then for something else.
func (p page) explain(ctx context.Context, e exchange) (tasks.Check, error) {
	if c, ok := p.explainAnswer(e); ok {
		return c, nil
	}
	bare, err := p.preflight(ctx, question{origin: e.origin, method: e.method})
	if err != nil {
		return tasks.Check{}, err
	}
	if lack := bare.lacks(); lack == nothing || lack == goodStatus {
		return p.headerFault(ctx, e)
	}

	known, err := p.originIsKnown(ctx, bare)
	switch {
	case err != nil:
		return tasks.Check{}, err
	case known:
		return p.methodFault(ctx, bare)
	}
	return p.originFault(ctx, e)
}

// originIsKnown reports whether the rules allow the origin any method
// at all.
func (p page) originIsKnown(ctx context.Context, bare exchange) (bool, error) {
	if bare.allowsOrigin() {
		return true, nil
	}
	for _, other := range []string{
		"", http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete,
	} {
		if other == bare.method {
			continue
		}
		answer, err := p.preflight(ctx, question{origin: bare.origin, method: other})
		if err != nil {
			return false, err
		}
		if answer.allowsOrigin() {
			return true, nil
		}
	}
	return false, nil
}

// explainAnswer explains an answer that needs no further questions.
func (p page) explainAnswer(e exchange) (tasks.Check, bool) {
	switch {
	case e.status >= 300 && e.status < 400:
		return check.Fail(codeRedirected, e.String(),
			"Browsers follow no redirect of a preflight: let the page use the address "+
				"that the bucket itself answers at, with the bucket's own region."), true
	case slices.Contains([]int{429, 500, 502, 503, 504}, e.status):
		c := check.Unknown(codeServer, e.String())
		c.Fix = "Verify again when the server works."
		return c, true
	case e.lacks() == goodStatus:
		fix := fmt.Sprintf("The answer's headers allow it, but browsers want a status of "+
			"200 to 299 and not %d: let the server answer OPTIONS without credentials.", e.status)
		return check.Fail(codeStatus, e.String(), fix), true
	}
	return tasks.Check{}, false
}

// headerFault names the headers that are refused alone. If each alone
// is allowed, it names all of them.
func (p page) headerFault(ctx context.Context, e exchange) (tasks.Check, error) {
	var refused []string
	for _, h := range e.headers {
		one, err := p.preflight(ctx, question{e.origin, e.method, []string{h}})
		if err != nil {
			return tasks.Check{}, err
		}
		if one.lacks() != nothing {
			refused = append(refused, h)
		}
	}
	if len(refused) == 0 {
		refused = e.headers
	}
	missing := fmt.Sprintf("Add %s to the allowed headers of the rule for %s.",
		strings.Join(refused, ", "), e.origin)
	return check.Fail(codeHeader, e.String(), p.fix(missing)), nil
}

// methodFault names every wanted method that the rule lacks.
func (p page) methodFault(ctx context.Context, e exchange) (tasks.Check, error) {
	refused := []string{e.method}
	for _, m := range p.want.Methods {
		if m == e.method {
			continue
		}
		other, err := p.preflight(ctx, question{origin: e.origin, method: m})
		if err != nil {
			return tasks.Check{}, err
		}
		if lack := other.lacks(); lack == originHeader || lack == methodsHeader {
			refused = append(refused, m)
		}
	}
	missing := fmt.Sprintf("Add %s to the methods of the rule for %s.",
		strings.Join(refused, ", "), e.origin)
	return check.Fail(codeMethod, e.String(), p.fix(missing)), nil
}

// originFault looks for the usual mistakes in the origin of a rule.
func (p page) originFault(ctx context.Context, e exchange) (tasks.Check, error) {
	for _, mistake := range []struct{ origin, code, text string }{
		// Some documents show links as <https://...>, and people copy
		// the brackets too.
		{
			"<" + e.origin + ">", codeBrackets,
			"with angle brackets around it: take < and > away, no browser sends them.",
		},
		{
			e.origin + "/", codeSlash,
			"with a slash at its end: take it away, an origin has none.",
		},
		{
			otherScheme(e.origin), codeScheme,
			"and not " + e.origin + ": an origin's scheme must be the page's own.",
		},
	} {
		answer, err := p.preflight(ctx, question{origin: mistake.origin, method: e.method})
		if err != nil {
			return tasks.Check{}, err
		}
		if answer.allowsOrigin() {
			return check.Fail(mistake.code, e.String()+"; "+answer.String(),
				p.fix("The rule names "+mistake.origin+", "+mistake.text)), nil
		}
	}
	fix := p.fix("Allow the origin " + e.origin + ": no rule does.")
	return check.Fail(codeOrigin, e.String(), fix), nil
}

func otherScheme(origin string) string {
	if rest, ok := strings.CutPrefix(origin, "https:"); ok {
		return "http:" + rest
	}
	return "https:" + strings.TrimPrefix(origin, "http:")
}
