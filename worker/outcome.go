package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// This file is the one place where an error decides what becomes of a job.

var (
	errDrain     = errors.New("this worker is stopping")
	errTimeout   = errors.New("the job took longer than its kind may")
	errDeadline  = errors.New("the job did not end before its deadline")
	errCancelled = errors.New("the job was cancelled")
	errSlow      = errors.New("the shard took longer than a shard may")
	errTwice     = errors.New("this task still runs in this process")
)

// fate is what becomes of a job or shard after one attempt.
type fate string

const (
	done      fate = "done"      // it is finished
	again     fate = "again"     // try again; an attempt is used up
	wait      fate = "wait"      // try again later; no attempt is used up
	handover  fate = "handover"  // another worker goes on at once; no attempt is used up
	failed    fate = "failed"    // it can never succeed, or its attempts are used up
	lost      fate = "lost"      // another coordinator holds the job: let go, write nothing
	dropped   fate = "dropped"   // nothing is left to do: the job has ended, or somebody else has done it
	cancelled fate = "cancelled" // the job was cancelled
)

// judge decides. ctx is the context of the attempt, failures how often it has
// failed before, attempts how often it may.
func judge(ctx context.Context, err error, failures, attempts int) fate {
	cause := context.Cause(ctx)
	var invalid *tasks.InvalidError
	var noted *notedError
	switch {
	case err == nil:
		return done
	case errors.Is(err, errUnwanted), errors.Is(cause, errUnwanted):
		return dropped
	case errors.Is(err, queue.ErrFenced):
		return lost
	case errors.Is(cause, errDrain):
		return handover
	case errors.Is(cause, errTimeout), errors.Is(err, errTimeout), errors.Is(err, errDeadline), errors.As(err, &invalid), errors.As(err, &noted):
		return failed
	case errors.Is(err, errTwice), errors.Is(err, redisconn.ErrUnavailable):
		return wait // the bucket's work is not to blame
	case errors.Is(cause, context.Canceled):
		return wait // asynq has taken the task back: the lease is lost, or somebody pressed its button
	}
	switch providers.KindOf(err) {
	case providers.Invalid, providers.Unauthenticated, providers.Denied, providers.NotFound, providers.Blocked:
		return failed
	case providers.Throttled:
		return wait
	case providers.Conflict, providers.Unavailable:
	}
	if failures+1 >= attempts {
		return failed
	}
	return again
}

// laterError is an attempt after which the task runs again.
type laterError struct {
	after  time.Duration
	failed bool // a try of asynq's is used up
	err    error
}

func (e *laterError) Error() string { return e.err.Error() }
func (e *laterError) Unwrap() error { return e.err }

// waits are how long a task waits that is not to blame.
const (
	waitThrottled = 10 * time.Second
	waitTwice     = 5 * time.Second
)

// redactedError is an error as it may be stored and shown: asynq keeps its
// text in Redis, and asynqmon shows it.
type redactedError struct{ error }

func (e redactedError) Error() string { return providers.RedactPatterns(e.error.Error()) }
func (e redactedError) Unwrap() error { return e.error }

// toAsynq turns a fate into what asynq understands.
func toAsynq(f fate, err error) error {
	if err != nil {
		err = redactedError{err}
	}
	switch f {
	case done, dropped, cancelled:
		return nil
	case failed:
		return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
	case lost:
		return fmt.Errorf("%w: %w", err, asynq.RevokeTask)
	case again, wait, handover:
		return pausing(f, err, 0)
	}
	return err
}

// pausing says when an attempt that has not ended its task goes on, unless
// that has been said. The job's record must know before asynq does: until
// then nobody may take the task for lost.
func pausing(f fate, err error, failures int) error {
	switch {
	case errors.As(err, new(*laterError)):
		return err
	case f == handover:
		return &laterError{0, false, errDrain}
	case f == wait:
		return &laterError{waitFor(err), false, err}
	}
	return &laterError{backOff(failures), true, err}
}

func pauseOf(err error) time.Duration {
	var later *laterError
	if errors.As(err, &later) {
		return later.after
	}
	return 0
}

func waitFor(err error) time.Duration {
	var e *providers.Error
	switch {
	case errors.As(err, &e) && e.RetryAfter > 0:
		return e.RetryAfter
	case errors.Is(err, errTwice):
		return waitTwice
	}
	return waitThrottled
}

// failure is what the one who asked for the job is told, without anything
// that looks like a secret: every error is made without one, and this is the
// second lock.
func failure(err error) *tasks.Failure {
	f := *explain(err)
	f.Message, f.Fix = providers.RedactPatterns(f.Message), providers.RedactPatterns(f.Fix)
	return &f
}

func explain(err error) *tasks.Failure {
	f := &tasks.Failure{Kind: string(providers.KindOf(err)), Message: err.Error()}
	var e *providers.Error
	var invalid *tasks.InvalidError
	var noted *notedError
	switch {
	case errors.As(err, &noted):
		return &noted.failure
	case errors.As(err, &invalid):
		f.Kind, f.Fix = string(providers.Invalid), "Correct the payload."
	case errors.Is(err, errDeadline):
		f.Kind, f.Message, f.Fix = "timeout", errDeadline.Error(), "Give the job more time, or run more workers."
	case errors.Is(err, errTimeout):
		f.Kind, f.Message, f.Fix = "timeout", errTimeout.Error(), "Run more workers, or give the job fewer objects with a longer prefix."
	case errors.Is(err, job.ErrPanic):
		f.Kind, f.Fix = "internal", "This is a defect in Stevedore: report it with the worker's log."
	case errors.As(err, &e):
		f.Code, f.Fix = e.Code, e.Advice()
	}
	return f
}

// notedError carries a failure that the engine has worded itself, or that
// came from a shard, through Redis, to the coordinator that ends the job with
// it.
type notedError struct{ failure tasks.Failure }

func (e *notedError) Error() string { return e.failure.Message }
