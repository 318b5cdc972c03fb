package worker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

// What asynq makes of an answer decides about attempts, so the answers
// are tested against asynq's own rules.
func TestAnswer(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, c := range []struct {
		outcome           outcome.Outcome
		counts, archives  bool
		revokes, succeeds bool
	}{
		{outcome.Done, true, false, false, true},
		{outcome.Retry, true, false, false, false},
		{outcome.Snooze, false, false, false, false},
		{outcome.Handover, false, false, false, false},
		{outcome.Failed, true, true, false, false},
		{outcome.Fenced, true, false, true, false},
		{outcome.Obsolete, true, false, false, true},
		{outcome.Cancelled, true, false, false, true},
	} {
		err := answer(outcome.Verdict{Outcome: c.outcome}, cause)
		if isFailure(err) != c.counts || errors.Is(err, asynq.SkipRetry) != c.archives ||
			errors.Is(err, asynq.RevokeTask) != c.revokes || (err == nil) != c.succeeds {
			t.Errorf("%s gives %v", c.outcome, err)
		}
	}
}

func TestRetryDelay(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, c := range []struct {
		name     string
		n        int
		err      error
		min, max time.Duration
	}{
		{"handed over", 0, answer(outcome.Verdict{Outcome: outcome.Handover}, cause), 0, 0},
		{"snoozed", 0, answer(outcome.Verdict{
			Outcome: outcome.Snooze,
			Pause:   42 * time.Second,
		}, cause), 42 * time.Second, 42 * time.Second},
		{"worker died", 3, asynq.ErrLeaseExpired, 0, 0},
		{"asynq was asked to cancel the task", 3, context.Canceled, 0, 0},
		{"first failure that asynq found", 0, errors.New("?"), time.Second, 3 * time.Second},
		{"many failures that asynq found", 5000, errors.New("?"), time.Second, 121 * time.Second},
	} {
		for range 50 {
			if got := retryDelay(c.n, c.err, nil); got < c.min || got > c.max {
				t.Errorf("%s: %v, want %v to %v", c.name, got, c.min, c.max)
			}
		}
	}
}
