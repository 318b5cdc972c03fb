package providers_test

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

func TestRedactValues(t *testing.T) {
	t.Parallel()
	const secret, other = "c4n4ry/c4n4ry+c4n4ry=", "An0ther\"one"
	for text, want := range map[string]string{
		"":                                   "",
		"nothing to hide":                    "nothing to hide",
		"a " + secret + "," + secret + " b":  "a [redacted],[redacted] b",
		secret + " and " + other:             "[redacted] and [redacted]",
		"?sig=c4n4ry%2Fc4n4ry%2Bc4n4ry%3D&x": "?sig=[redacted]&x",
		"?sig=c4n4ry%2fc4n4ry%2bc4n4ry%3d":   "?sig=[redacted]",
		"/c4n4ry%2Fc4n4ry+c4n4ry=/x":         "/[redacted]/x",
		"YzRuNHJ5L2M0bjRyeStjNG40cnk9":       "[redacted]",
		`{"k":"An0ther\"one"}`:               `{"k":"[redacted]"}`,
		"cut c4n4ry/c4n4…":                   "cut [redacted]…",
		"cut " + secret + "…":                "cut [redacted]…",
		"cut ?sig=c4n4ry%2Fc4…":              "cut ?sig=[redacted]…",
		"cut but c4n…":                       "cut but c4n…",
		"not cut c4n4ry/c4n4":                "not cut c4n4ry/c4n4",
	} {
		if got := providers.RedactValues(text, secret, "", other); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func FuzzRedactValues(f *testing.F) {
	f.Add("a c4n4ry b", "c4n4ry")
	f.Add("…", "…")
	f.Add("x%2F…", "%2F%")
	f.Fuzz(func(t *testing.T, text, secret string) {
		got := providers.RedactValues(text, secret)
		if len(secret) > 20 && strings.Contains(got, secret) && !strings.Contains(secret, "redacted") {
			t.Errorf("%q is in %q", secret, got)
		}
	})
}
