package driver

import (
	"context"
	"errors"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Classified returns what every cloud makes of an error alike: a copy of
// the *providers.Error that err holds, or Unavailable with the bare cause
// if the caller's context has ended. It returns nil for all other errors;
// the cloud classifies those. The copy is the caller's to change.
func Classified(err error) *providers.Error {
	var known *providers.Error
	switch {
	case errors.As(err, &known):
		e := *known
		return &e
	case errors.Is(err, context.Canceled):
		return &providers.Error{Kind: providers.Unavailable, Err: context.Canceled}
	// The timeouts of connections also match DeadlineExceeded by
	// errors.Is, but their own texts say more.
	case innermost(err) == context.DeadlineExceeded: //nolint:errorlint // see above
		return &providers.Error{Kind: providers.Unavailable, Err: context.DeadlineExceeded}
	}
	return nil
}
