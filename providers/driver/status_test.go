package driver_test

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/driver"
)

func TestStatusText(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{403: "403 Forbidden", 799: "799"} {
		if got := driver.StatusText(status); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
