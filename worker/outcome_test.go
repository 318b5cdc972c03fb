package worker

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/coordinator"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/shard"
)

// ended returns a context that has ended with a cause.
func ended(cause error) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	return ctx
}

// With three attempts, each error leads to one outcome.
func TestDecide(t *testing.T) {
	t.Parallel()
	const attempts = 3
	running := context.Background()
	of := func(k providers.Kind) error {
		return fmt.Errorf("wrapped: %w", &providers.Error{Op: "get", Bucket: "b", Kind: k})
	}
	for _, c := range []struct {
		name     string
		ctx      context.Context
		err      error
		failures int
		want     outcome
	}{
		{"success", running, nil, 0, done},
		{"success on the last attempt", running, nil, 2, done},
		{"invalid", running, of(providers.Invalid), 0, failed},
		{"unauthenticated", running, of(providers.Unauthenticated), 0, failed},
		{"denied", running, of(providers.Denied), 0, failed},
		{"not found", running, of(providers.NotFound), 0, failed},
		{"blocked", running, of(providers.Blocked), 0, failed},
		{"conflict", running, of(providers.Conflict), 0, retry},
		{"throttled", running, of(providers.Throttled), 0, snooze},
		{"throttled on the last attempt", running, of(providers.Throttled), 2, snooze},
		{"unavailable", running, of(providers.Unavailable), 1, retry},
		{"unavailable on the last attempt", running, of(providers.Unavailable), 2, failed},
		{"unknown error", running, errors.New("?"), 0, retry},
		{"panic", running, job.ErrPanic, 0, retry},
		{"panic on the last attempt", running, job.ErrPanic, 2, failed},
		{"no answer from Redis on the last attempt", running,
			fmt.Errorf("x: %w", redisconn.ErrUnavailable), 2, snooze},
		{"invalid payload", running, &tasks.InvalidError{}, 0, failed},
		{"failure of a shard", running, &coordinator.ShardFailureError{}, 0, failed},
		{"parts exceed the budget", running, queue.ErrBudget, 0, failed},
		{"parts will exceed the budget", running, &coordinator.PartsError{}, 0, failed},
		{"drain", ended(errDrain), context.Canceled, 2, handover},
		{"drain that looks like a bucket's error", ended(errDrain), of(providers.Unavailable), 2, handover},
		{"finished while draining", ended(errDrain), nil, 0, done},
		{"fenced", running, queue.ErrFenced, 0, fenced},
		{"fenced while draining", ended(errDrain), queue.ErrFenced, 0, fenced},
		{"job timeout", ended(errTimeout), context.DeadlineExceeded, 0, failed},
		{"deadline", running, errDeadline, 0, failed},
		{"shard timeout", ended(errShardTimeout), context.DeadlineExceeded, 0, retry},
		{"obsolete shard", running, shard.ErrObsolete, 0, obsolete},
		{"obsolete while running", ended(shard.ErrObsolete), context.Canceled, 2, obsolete},
		{"asynq lost the lease on the last attempt", ended(context.Canceled), context.Canceled, 2, snooze},
		{"already running here", running, errAlreadyRunning, 2, snooze},
	} {
		if got := decide(c.ctx, c.err).limit(c.failures, attempts); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
