package allowlist_test

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/allowlist"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	const env, dir, file = "env:S_{tenant}_*", "file:/run/secrets/{tenant}/*", "file:/run/secrets/{tenant}.key"
	for _, c := range []struct {
		pattern, ref, tenant string
		want                 bool
	}{
		{"env:S_*", "env:S_A", "", true},
		{"env:S_*", "env:S_A_B", "acme", true},
		{"env:S_*", "env:T_A", "acme", false},
		{"file:/run/secrets/*", "file:/run/secrets/a", "", true},
		{"file:/run/secrets/*", "file:/run/secrets/a/b", "", false},
		{env, "env:S_acme_KEY", "acme", true},
		{env, "env:S_acme_KEY", "other", false},
		{env, "env:S_acme_KEY", "", false},
		{env, "env:S_acme_eu_KEY", "acme_eu", true},
		{env, "env:S_acme_eu_KEY", "acme", false},
		{env, "env:S_ACME_KEY", "acme", false},
		{env, "env:S_a.c_KEY", "a.c", true},
		{env, "env:S_abc_KEY", "a.c", false},
		{"env:S_{tenant}", "env:S_acme", "acme", true},
		{"env:S_{tenant}", "env:S_acme_eu", "acme", false},
		{"env:{tenant}", "env:*", "*", false},
		{dir, "file:/run/secrets/acme/key", "acme", true},
		{dir, "file:/run/secrets/acme/access_key.v2", "acme", true},
		{dir, "file:/run/secrets/acme/a/b", "acme", false},
		{dir, "file:/run/secrets/other/key", "acme", false},
		{dir, "file:/run/secrets/acme/x/key", "acme/x", false},
		{dir, "file:/run/secrets/acme/key", "*", false},
		{dir, "file:/run/secrets/acme/key", "a*", false},
		{dir, "file:/run/secrets/../key", "..", false},
		{dir, "file:/run/secrets/{tenant}/key", "", false},
		{dir, "file:/run/secrets/{tenant}/key", "{tenant}", false},
		{file, "file:/run/secrets/acme.key", "acme", true},
		{file, "file:/run/secrets/acme.key.key", "acme", false},
		{file, "file:/run/secrets/acme.key.key", "acme.key", true},
	} {
		p, err := allowlist.Parse(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
		}
		if p.Match(c.ref, c.tenant) != c.want {
			t.Errorf("%s for %s of tenant %q: %v", c.pattern, c.ref, c.tenant, !c.want)
		}
	}
	if (allowlist.Pattern{}).Match("", "") {
		t.Error("no pattern matches nothing")
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "env:NAME", "*": "env:NAME", "NAME": "env:NAME", "file:relative": "env:NAME", "env:[": "env:NAME",
		"env:{tenant}*": "lets one tenant", "env:S_*{tenant}": "lets one tenant", "env:{tenant}KEY*": "lets one tenant",
		"file:/a/{tenant}?/b": "use * alone", "file:/a/{tenant}_[a-z]": "use * alone",
		"env:{tenant}_{tenant}": "more than once", "file:/a/{customer}/*": "not part of {tenant}", "file:/a/{tenant/*": "not part of",
	} {
		if _, err := allowlist.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// No two tenants can name the same secret through one pattern. All
// short patterns, tenants and names are tried.
func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	tenants := texts([]string{"a", "_"}, 3)
	refs := texts([]string{"a", "_"}, 5)
	accepted := 0
	for _, text := range texts([]string{"a", "_", "*", allowlist.Tenant}, 4) {
		p, err := allowlist.Parse("env:" + text)
		if err != nil || !p.HasTenant() {
			continue
		}
		accepted++
		for _, ref := range refs {
			var owners []string
			for _, tenant := range tenants {
				if p.Match("env:"+ref, tenant) {
					owners = append(owners, tenant)
				}
			}
			if len(owners) > 1 {
				t.Fatalf("%s lets each of %q name %s", text, owners, ref)
			}
		}
	}
	if accepted < 20 {
		t.Errorf("only %d patterns are accepted", accepted)
	}
}

// texts returns all texts of 1 to n of the items.
func texts(items []string, n int) (all []string) {
	for _, item := range items {
		all = append(all, item)
		if n > 1 {
			for _, rest := range texts(items, n-1) {
				all = append(all, item+rest)
			}
		}
	}
	return all
}
