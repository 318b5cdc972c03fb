package driver_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/providers/driver"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "",
		"a plain text":            "a plain text",
		" two\r\n\tlines\x00\x7f": "two lines",
		"bad \xff\xfe bytes":      "bad ? bytes",
	} {
		if got := driver.Printable(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	long := driver.Printable(strings.Repeat("日", 1000))
	if len(long) > 610 || !strings.HasSuffix(long, "…") || !utf8.ValidString(long) {
		t.Errorf("a long text became %q", long)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"-1":                            0,
		"100000":                        time.Hour,
		"Fri, 10 Jul 2026 10:16:22 GMT": 0,
	} {
		if got := driver.RetryAfter(http.Header{"Retry-After": {value}}); got != want {
			t.Errorf("%q is %s, want %s", value, got, want)
		}
	}
}
