package providers_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Not parallel: it sets environment variables.
func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	for name, value := range map[string]string{"good": " value\n", "empty": "\n", "large": strings.Repeat("x", 2<<20)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STEVEDORE_SECRET_A", "value")
	t.Setenv("OTHER", "value")
	s := providers.Secrets{Allow: []string{"env:STEVEDORE_SECRET_*", " file:" + dir + "/*"}}
	for ref, code := range map[string]string{
		"env:STEVEDORE_SECRET_A":      "",
		"file:" + dir + "/good":       "",
		"env:OTHER":                   "SecretNotAllowed",
		"file:/etc/passwd":            "SecretNotAllowed",
		"file:" + dir + "/sub/deeper": "SecretNotAllowed",
		"env:STEVEDORE_SECRET_B":      "SecretMissing",
		"file:" + dir + "/missing":    "SecretMissing",
		"file:" + dir + "/empty":      "SecretMissing",
		"file:" + dir + "/large":      "SecretMissing",
		"file:" + dir + "/sub":        "SecretMissing",
	} {
		secret, err := tasks.SecretRef(ref)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Resolve(secret)
		var e *providers.Error
		switch {
		case code == "" && (err != nil || got != "value"):
			t.Errorf("%s: %q, %v", ref, got, err)
		case code != "" && (!errors.As(err, &e) || e.Code != code || e.Kind != providers.Invalid || e.Fix == ""):
			t.Errorf("%s: got %q, %v; want %s", ref, got, err, code)
		}
	}
	if got, err := s.Resolve(tasks.Secret{}); got != "" || err != nil {
		t.Errorf("no secret: %q, %v", got, err)
	}
}

// With {tenant} in every pattern, a payload can name only secrets of
// its own tenant. This test is not parallel because it sets variables.
func TestSecretsOfTenants(t *testing.T) {
	dir := t.TempDir()
	for _, tenant := range []string{"acme", "other"} {
		if err := os.MkdirAll(filepath.Join(dir, tenant), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, tenant, "key"), []byte("value"), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("STEVEDORE_SECRET_"+tenant+"_KEY", "value")
	}
	s := providers.Secrets{Allow: []string{"env:STEVEDORE_SECRET_{tenant}_*", "file:" + dir + "/{tenant}/*"}}
	for _, c := range []struct {
		ref, tenant string
		allowed     bool
		fix         string
	}{
		{"env:STEVEDORE_SECRET_acme_KEY", "acme", true, ""},
		{"file:" + dir + "/acme/key", "acme", true, ""},
		{"env:STEVEDORE_SECRET_other_KEY", "acme", false, "payload's own tenant, acme"},
		{"file:" + dir + "/other/key", "acme", false, "payload's own tenant, acme"},
		{"file:" + dir + "/other/key", "", false, "The payload has no tenant"},
		{"file:" + dir + "/other/key", "*", false, ""},
		{"file:" + dir + "/other/key", "acme/../other", false, ""},
	} {
		ref, err := tasks.SecretRef(c.ref)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.For(providers.Owner{Job: "j", Kind: "k", Tenant: c.tenant}).Resolve(ref)
		var e *providers.Error
		switch {
		case c.allowed && (err != nil || got != "value"):
			t.Errorf("%s for %q: %q, %v", c.ref, c.tenant, got, err)
		case !c.allowed && (got != "" || !errors.As(err, &e) || e.Code != "SecretNotAllowed" || !strings.Contains(e.Fix, c.fix)):
			t.Errorf("%s for %q: %q, %v", c.ref, c.tenant, got, err)
		}
	}
}
