package worker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/providers"
)

// verdict is what was decided about an attempt. It is made once, written into
// the job's record, and then answered to asynq.
type verdict struct {
	outcome outcome
	err     error         // the reason; nil when there is none
	pause   time.Duration // before the task runs again
}

// verdict decides about an attempt that ended with err.
func (a attempt) verdict(ctx context.Context, err error) verdict {
	o := decide(ctx, err).limit(a.failures, a.kind.Policy.Attempts)
	return newVerdict(o, err, a.failures)
}

// enterVerdict decides about an attempt that got no slot.
func (a attempt) enterVerdict(err error) verdict {
	o := handover
	if errors.Is(err, errAlreadyRunning) {
		o = snooze
	}
	return newVerdict(o, err, a.failures)
}

// repeatVerdict decides about an attempt whose outcome could not be written
// down. The work is done, so no number of failures ends the job.
func repeatVerdict(ctx context.Context, err error) verdict {
	return newVerdict(decide(ctx, err), err, 0)
}

func newVerdict(o outcome, err error, failures int) verdict {
	v := verdict{outcome: o, err: err}
	switch o {
	case retry:
		v.pause = backOff(failures)
	case snooze:
		v.pause = snoozeFor(err)
	case handover:
		v.err = errDrain // whatever error the job has made of it
	case done, failed, fenced, obsolete, cancelled:
	}
	return v
}

// How long a task is snoozed, unless the cloud says.
const (
	throttledPause      = 10 * time.Second
	alreadyRunningPause = 5 * time.Second
)

func snoozeFor(err error) time.Duration {
	var e *providers.Error
	switch {
	case errors.As(err, &e) && e.RetryAfter > 0:
		return e.RetryAfter
	case errors.Is(err, errAlreadyRunning):
		return alreadyRunningPause
	}
	return throttledPause
}

const (
	minBackOff  = time.Second
	maxBackOff  = 2 * time.Minute
	maxExponent = 10 // keeps the shift below from overflowing
)

// backOff is an exponential back-off with full jitter.
func backOff(failures int) time.Duration {
	limit := min(minBackOff<<min(failures+1, maxExponent), maxBackOff)
	return minBackOff + rand.N(limit)
}

// retryError asks asynq to run the task again.
type retryError struct {
	pause  time.Duration
	failed bool // whether asynq shall count a failure
	err    error
}

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }

// answer returns what asynq understands. A failed shard has completed its
// task: the reason is in the job's record, and an archived task would only
// block its ID.
func (w wording) answer(a attempt, v verdict) error {
	if a.phase == phaseShard && v.outcome == failed {
		return nil
	}
	err := w.error(v.err)
	switch v.outcome {
	case retry, snooze, handover:
		return &retryError{v.pause, v.outcome == retry, err}
	case failed:
		return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
	case fenced:
		return fmt.Errorf("%w: %w", err, asynq.RevokeTask)
	case done, obsolete, cancelled:
	}
	return nil
}

// isFailure tells asynq which errors count as failures of a task.
func isFailure(err error) bool {
	var again *retryError
	return !errors.As(err, &again) || again.failed
}

// retryDelay tells asynq how long a task waits for its next run. Without a
// verdict of ours it is an error of asynq's own. A task whose worker died has
// waited long enough. A task that asynq was asked to cancel runs once more,
// to find out that its job has ended.
func retryDelay(n int, err error, _ *asynq.Task) time.Duration {
	var again *retryError
	switch {
	case errors.As(err, &again):
		return again.pause
	case errors.Is(err, asynq.ErrLeaseExpired), errors.Is(err, context.Canceled):
		return 0
	}
	return backOff(n)
}
