package outcome

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/payloadsize"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Count is how often the attempts at a task failed before, and how
// often they may fail.
type Count struct {
	Failures int
	Attempts int
}

// Decide decides about an attempt that ended with err. ctx is the
// context of the attempt.
func Decide(ctx context.Context, err error, n Count) Verdict {
	o := decide(ctx, err)
	if o == Retry && n.Failures+1 >= n.Attempts {
		o = Failed
	}
	return verdict(o, err, n.Failures)
}

// NotRecorded decides about an attempt whose outcome could not be
// written down because of err. The work is done, so no number of
// failures ends the job.
func NotRecorded(ctx context.Context, err error) Verdict {
	return verdict(decide(ctx, err), err, 0)
}

// NotStarted decides about an attempt that got no slot.
func NotStarted(err error) Verdict {
	if errors.Is(err, ErrDrain) {
		return verdict(Handover, err, 0)
	}
	return verdict(Snooze, err, 0)
}

func verdict(o Outcome, err error, failures int) Verdict {
	v := Verdict{Outcome: o, Err: err}
	switch o {
	case Retry:
		v.Pause = BackOff(failures)
	case Snooze:
		v.Pause = snoozeFor(err)
	case Handover:
		if !errors.Is(err, ErrTurn) {
			v.Err = ErrDrain // whatever error the job has made of it
		}
	case Done, Failed, Fenced, Obsolete, Cancelled:
	}
	return v
}

// decide returns the outcome of an attempt that ended with err. It does
// not count attempts.
func decide(ctx context.Context, err error) Outcome {
	cause := context.Cause(ctx)
	switch {
	case err == nil:
		return Done
	case errors.Is(err, ErrObsolete), errors.Is(cause, ErrObsolete):
		return Obsolete
	case errors.Is(err, queue.ErrFenced):
		return Fenced
	case errors.Is(cause, ErrDrain), errors.Is(err, ErrTurn):
		return Handover
	case errors.Is(cause, ErrTimeout), isFinal(err):
		return Failed
	case errors.Is(err, ErrAlreadyRunning), errors.Is(err, ErrApart),
		errors.Is(err, redisconn.ErrUnavailable):
		// Not the fault of the job or of its buckets.
		return Snooze
	case errors.Is(cause, context.Canceled):
		// asynq has taken the task back: its lease is lost, or an
		// operator pressed the cancel button.
		return Snooze
	}
	return decideByKind(providers.KindOf(err))
}

// isFinal reports whether no further attempt can cure an error,
// whatever its kind.
func isFinal(err error) bool {
	return IsOutOfTime(err) ||
		errors.Is(err, queue.ErrBudget) ||
		errors.Is(err, queue.ErrObjects) ||
		errors.As(err, new(*tasks.InvalidError)) ||
		errors.As(err, new(*payloadsize.Error)) ||
		errors.As(err, new(*ShardFailureError))
}

func decideByKind(k providers.Kind) Outcome {
	switch k {
	case providers.Invalid, providers.Unauthenticated, providers.Denied,
		providers.NotFound, providers.Blocked:
		return Failed
	case providers.Throttled:
		return Snooze
	case providers.Conflict, providers.Unavailable:
	}
	return Retry
}

// IsOutOfTime reports whether an error means that the job's time is up.
func IsOutOfTime(err error) bool {
	return errors.Is(err, ErrTimeout) || errors.Is(err, ErrDeadline)
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
	case errors.Is(err, ErrAlreadyRunning), errors.Is(err, ErrNoPlace), errors.Is(err, ErrApart):
		return alreadyRunningPause
	}
	return throttledPause
}

const (
	minBackOff  = time.Second
	maxBackOff  = 2 * time.Minute
	maxExponent = 10 // keeps the shift below from overflowing
)

// BackOff returns how long a task waits after so many failures: an
// exponential back-off with full jitter.
func BackOff(failures int) time.Duration {
	limit := min(minBackOff<<min(failures+1, maxExponent), maxBackOff)
	return minBackOff + rand.N(limit)
}
