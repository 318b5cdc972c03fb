// Package allowlist decides which secrets payloads may name: references
// such as "env:APP_SECRET_A" and "file:/run/secrets/a" are compared with
// the patterns that the operator of a worker sets.
//
// It reads no secret.
package allowlist

import (
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Tenant stands in a pattern for the tenant of the payload that names a
// secret.
const Tenant = "{tenant}"

// Pattern says which references are allowed. The zero value allows none.
type Pattern struct{ text string }

// Parse reads a pattern: env:NAME or file:/path, in which * stands for
// any text without a slash, ? for a character, and Tenant for the
// tenant.
//
// A name or a part of a path that holds Tenant may have no ? and no [ ],
// and * stands there for letters and digits only. A character that is
// neither must be between Tenant and a *. So through one pattern no
// tenant can name a secret of another one whose name begins like its
// own, such as acme and acme_eu. Two patterns together can allow that:
// env:S_{tenant} and env:S_{tenant}_* do.
func Parse(text string) (Pattern, error) {
	p := Pattern{strings.TrimSpace(text)}
	_, err := path.Match(p.text, "")
	if err != nil || !strings.HasPrefix(p.text, "env:") && !strings.HasPrefix(p.text, "file:/") {
		return Pattern{}, errors.New("is no pattern of secrets: " +
			"give env:NAME or file:/path, with * for any text")
	}
	for _, part := range p.parts() {
		if problem := tenantProblem(part); problem != "" {
			return Pattern{}, errors.New(problem)
		}
	}
	return p, nil
}

var closeStar = regexp.MustCompile(`\{tenant\}[A-Za-z0-9]*\*|\*[A-Za-z0-9]*\{tenant\}`)

// tenantProblem returns what is wrong with a part of a pattern, or an
// empty text.
func tenantProblem(part string) string {
	rest := strings.ReplaceAll(part, Tenant, "")
	switch {
	case strings.ContainsAny(rest, "{}"):
		return "has a { or } that is not part of " + Tenant
	case rest == part:
	case strings.Count(part, Tenant) > 1:
		return "has " + Tenant + " more than once in a name"
	case strings.ContainsAny(part, `?[]\`):
		return `has a ?, [, ] or \ beside ` + Tenant + ": use * alone"
	case closeStar.MatchString(part):
		return "lets one tenant name the secrets of another: between " + Tenant +
			" and * put a character that is no letter and no digit, such as _"
	}
	return ""
}

// parts returns the name in a pattern of variables, or the parts of a
// path.
func (p Pattern) parts() []string { return strings.Split(p.text, "/") }

// HasTenant reports whether the pattern allows each tenant only secrets
// of its own.
func (p Pattern) HasTenant() bool { return strings.Contains(p.text, Tenant) }

// Match reports whether a payload of a tenant may name a reference. The
// tenant may be empty; then patterns with Tenant allow nothing.
func (p Pattern) Match(ref, tenant string) bool {
	if !p.HasTenant() {
		ok, _ := path.Match(p.text, ref)
		return ok && p.text != ""
	}
	parts, given := p.parts(), strings.Split(ref, "/")
	if !tasks.ValidTenant(tenant) || len(parts) != len(given) {
		return false
	}
	for i, part := range parts {
		if !matchPart(part, given[i], tenant) {
			return false
		}
	}
	return true
}

func matchPart(part, given, tenant string) bool {
	if !strings.Contains(part, Tenant) {
		ok, _ := path.Match(part, given)
		return ok
	}
	form := regexp.QuoteMeta(part)
	form = strings.ReplaceAll(form, `\*`, `[A-Za-z0-9]*`)
	form = strings.ReplaceAll(form, regexp.QuoteMeta(Tenant), regexp.QuoteMeta(tenant))
	ok, _ := regexp.MatchString("^(?:"+form+")$", given)
	return ok
}
