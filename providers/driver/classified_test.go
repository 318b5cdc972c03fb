package driver_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

func TestClassified(t *testing.T) {
	t.Parallel()
	known := &providers.Error{Kind: providers.Denied, Code: "AccessDenied"}
	timeout := &net.OpError{Op: "dial", Err: context.DeadlineExceeded}
	for name, c := range map[string]struct {
		err  error
		want *providers.Error
	}{
		"known":     {fmt.Errorf("again: %w", known), known},
		"cancelled": {fmt.Errorf("send: %w", context.Canceled), &providers.Error{Kind: providers.Unavailable, Err: context.Canceled}},
		"deadline":  {timeout, &providers.Error{Kind: providers.Unavailable, Err: context.DeadlineExceeded}},
		"other":     {errors.New("refused"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := driver.Classified(c.err)
			if (got == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			if got == nil {
				return
			}
			if got == known || *got != *c.want {
				t.Errorf("got %+v, want a copy of %+v", got, c.want)
			}
		})
	}
}
