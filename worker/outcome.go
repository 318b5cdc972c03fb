package worker

import (
	"context"
	"errors"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/coordinator"
	"github.com/stevedore-jobs/stevedore/worker/shard"
)

// This file is the one place where an error decides what happens to a job.
// Whether an error concerns one object or the whole job is decided earlier,
// in worker/job: an error that arrives here concerns the whole job.

var (
	errDrain          = errors.New("this worker is stopping")
	errTimeout        = errors.New("the job took longer than its kind may")
	errDeadline       = errors.New("the job did not end before its deadline")
	errCancelled      = errors.New("the job was cancelled")
	errShardTimeout   = errors.New("the shard took longer than a shard may")
	errAlreadyRunning = errors.New("this task still runs in this process")
)

// outcome is what an attempt at a job or shard led to.
type outcome string

const (
	// done: the job or shard is finished.
	done outcome = "done"
	// retry: the task runs again. An attempt is used up.
	retry outcome = "retry"
	// snooze: the task runs again later. No attempt is used up.
	snooze outcome = "snooze"
	// handover: another worker continues at once. No attempt is used up.
	handover outcome = "handover"
	// failed: the job can never succeed, or its attempts are used up.
	failed outcome = "failed"
	// fenced: another coordinator has the job. This one writes nothing more.
	fenced outcome = "fenced"
	// obsolete: nothing is left to do. The job has ended, or another run has
	// finished the shard.
	obsolete outcome = "obsolete"
	// cancelled: the job was cancelled.
	cancelled outcome = "cancelled"
)

// decide returns the outcome of an attempt that ended with err. ctx is the
// context of the attempt. decide does not count attempts: see limit.
func decide(ctx context.Context, err error) outcome {
	cause := context.Cause(ctx)
	switch {
	case err == nil:
		return done
	case errors.Is(err, shard.ErrObsolete), errors.Is(cause, shard.ErrObsolete):
		return obsolete
	case errors.Is(err, queue.ErrFenced):
		return fenced
	case errors.Is(cause, errDrain):
		return handover
	case errors.Is(cause, errTimeout), isFinal(err):
		return failed
	case errors.Is(err, errAlreadyRunning), errors.Is(err, redisconn.ErrUnavailable):
		// Not the fault of the job or of its buckets.
		return snooze
	case errors.Is(cause, context.Canceled):
		// asynq has taken the task back: its lease is lost, or an operator
		// pressed the cancel button.
		return snooze
	}
	return decideByKind(providers.KindOf(err))
}

// isFinal reports whether no further attempt can cure an error, whatever its
// kind.
func isFinal(err error) bool {
	return isOutOfTime(err) ||
		errors.Is(err, queue.ErrBudget) ||
		errors.As(err, new(*tasks.InvalidError)) ||
		errors.As(err, new(*coordinator.ShardFailureError))
}

func decideByKind(k providers.Kind) outcome {
	switch k {
	case providers.Invalid, providers.Unauthenticated, providers.Denied,
		providers.NotFound, providers.Blocked:
		return failed
	case providers.Throttled:
		return snooze
	case providers.Conflict, providers.Unavailable:
	}
	return retry
}

// limit turns a retry into a failure when the attempts are used up. failures
// is how often the task has failed before; attempts is how often it may fail.
func (o outcome) limit(failures, attempts int) outcome {
	if o == retry && failures+1 >= attempts {
		return failed
	}
	return o
}
