package driver_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// No text of an error and no cause shows a secret. A cause without one
// stays as it is.
func TestRedact(t *testing.T) {
	t.Parallel()
	redact := func(text string) string { return strings.ReplaceAll(text, "token", "[redacted]") }
	e := &providers.Error{
		Code: "a token", Detail: "a token", Fix: "a token", RequestID: "a token",
		Err: fmt.Errorf("wrapped: %w", errors.New("a token")),
	}
	driver.Redact(e, redact)
	if want := "wrapped: a [redacted]"; e.Err.Error() != want || e.Code+e.Detail+e.Fix+e.RequestID != strings.Repeat("a [redacted]", 4) {
		t.Errorf("got %+v", *e)
	}

	cause := errors.New("a cause")
	for _, e := range []*providers.Error{{Err: cause}, {}} {
		want := e.Err
		if driver.Redact(e, redact); e.Err != want { //nolint:errorlint // the same value
			t.Errorf("the cause %v became %v", want, e.Err)
		}
	}
}
