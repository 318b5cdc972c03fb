// Package check runs a sequence of checks, and makes their results. A
// provider's probe, the checks of the network and those of CORS rules
// are such sequences. What they have in common is here, so that all
// of them stop and report alike.
//
// It knows no cloud and makes no requests itself.
package check

import (
	"context"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Step is one check of a sequence.
type Step struct {
	// ID is one of the tasks.CheckID constants.
	ID string
	// Wanted is false for a check that nobody asked for. It is left
	// out of the results.
	Wanted bool
	// Run makes the check. Its result needs no ID.
	Run func(context.Context) tasks.Check
	// Stops reports whether later checks are pointless after the
	// result of this one. Nil means that they are if it failed.
	Stops func(tasks.Check) bool
}

// Run makes the checks that are wanted, one after the other, and
// returns a result for each. After a check that stops the sequence,
// the others are skipped.
func Run(ctx context.Context, steps []Step) []tasks.Check {
	checks := make([]tasks.Check, 0, len(steps))
	stopped := "" // the ID of the check that stopped the sequence
	for _, s := range steps {
		if !s.Wanted {
			continue
		}
		var c tasks.Check
		if stopped == "" {
			c = s.Run(ctx)
		} else {
			c = SkipAfter(stopped)
		}
		c.ID = s.ID
		checks = append(checks, c)
		if stopped == "" && s.stops(c) {
			stopped = s.ID
		}
	}
	return checks
}

func (s Step) stops(c tasks.Check) bool {
	if s.Stops == nil {
		return IsFailure(c)
	}
	return s.Stops(c)
}

// Never is the Stops of a check that says nothing about later ones.
func Never(tasks.Check) bool { return false }

// IsFailure reports whether a check failed.
func IsFailure(c tasks.Check) bool { return c.Status == tasks.CheckFail }
