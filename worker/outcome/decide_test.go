package outcome

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/payloadsize"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
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
		want     Outcome
	}{
		{"success", running, nil, 0, Done},
		{"success on the last attempt", running, nil, 2, Done},
		{"invalid", running, of(providers.Invalid), 0, Failed},
		{"unauthenticated", running, of(providers.Unauthenticated), 0, Failed},
		{"denied", running, of(providers.Denied), 0, Failed},
		{"not found", running, of(providers.NotFound), 0, Failed},
		{"blocked", running, of(providers.Blocked), 0, Failed},
		{"conflict", running, of(providers.Conflict), 0, Retry},
		{"throttled", running, of(providers.Throttled), 0, Snooze},
		{"throttled on the last attempt", running, of(providers.Throttled), 2, Snooze},
		{"unavailable", running, of(providers.Unavailable), 1, Retry},
		{"unavailable on the last attempt", running, of(providers.Unavailable), 2, Failed},
		{"unknown error", running, errors.New("?"), 0, Retry},
		{"panic", running, guard.ErrPanic, 0, Retry},
		{"panic on the last attempt", running, guard.ErrPanic, 2, Failed},
		{"no answer from Redis on the last attempt", running,
			fmt.Errorf("x: %w", redisconn.ErrUnavailable), 2, Snooze},
		{"invalid payload", running, &tasks.InvalidError{}, 0, Failed},
		{"failure of a shard", running, &ShardFailureError{}, 0, Failed},
		{"over the budget in Redis", running, queue.ErrBudget, 0, Failed},
		{"will exceed it", running, &BudgetError{}, 0, Failed},
		{"too many objects", running, queue.ErrObjects, 0, Failed},
		{"too large a payload", running, &payloadsize.Error{}, 0, Failed},
		{"drain", ended(ErrDrain), context.Canceled, 2, Handover},
		{"drain that looks like a bucket's error", ended(ErrDrain), of(providers.Unavailable), 2, Handover},
		{"finished while draining", ended(ErrDrain), nil, 0, Done},
		{"fenced", running, queue.ErrFenced, 0, Fenced},
		{"fenced while draining", ended(ErrDrain), queue.ErrFenced, 0, Fenced},
		{"job timeout", ended(ErrTimeout), context.DeadlineExceeded, 0, Failed},
		{"deadline", running, ErrDeadline, 0, Failed},
		{"shard timeout", ended(ErrShardTimeout), context.DeadlineExceeded, 0, Retry},
		{"obsolete shard", running, ErrObsolete, 0, Obsolete},
		{"obsolete while running", ended(ErrObsolete), context.Canceled, 2, Obsolete},
		{"asynq lost the lease on the last attempt", ended(context.Canceled), context.Canceled, 2, Snooze},
		{"already running here", running, ErrAlreadyRunning, 2, Snooze},
	} {
		got := Decide(c.ctx, c.err, Count{c.failures, attempts})
		if got.Outcome != c.want {
			t.Errorf("%s: %s, want %s", c.name, got.Outcome, c.want)
		}
	}
}

// The pause is the cloud's if it says one. A handed-over task does not
// wait.
func TestPause(t *testing.T) {
	t.Parallel()
	busy := &providers.Error{Op: "get", Kind: providers.Throttled}
	patient := &providers.Error{Op: "get", Kind: providers.Throttled, RetryAfter: 42 * time.Second}
	for _, c := range []struct {
		name     string
		verdict  func() Verdict
		min, max time.Duration
	}{
		{"handed over", func() Verdict { return NotStarted(ErrDrain) }, 0, 0},
		{"already running", func() Verdict { return NotStarted(ErrAlreadyRunning) },
			alreadyRunningPause, alreadyRunningPause},
		{"as the cloud says", decided(patient, 0), 42 * time.Second, 42 * time.Second},
		{"as the cloud does not say", decided(busy, 0), throttledPause, throttledPause},
		{"first failure", decided(errors.New("?"), 0), time.Second, 3 * time.Second},
		{"many failures", decided(errors.New("?"), 5000), time.Second, 121 * time.Second},
	} {
		for range 50 {
			if got := c.verdict().Pause; got < c.min || got > c.max {
				t.Errorf("%s: %v, want %v to %v", c.name, got, c.min, c.max)
			}
		}
	}
}

func decided(err error, failures int) func() Verdict {
	return func() Verdict { return Decide(context.Background(), err, Count{failures, 10_000}) }
}

// An attempt whose outcome could not be written down is repeated,
// however often it has failed: the work is done.
func TestNotRecorded(t *testing.T) {
	t.Parallel()
	broken := errors.New("Redis refuses")
	for _, c := range []struct {
		name string
		ctx  context.Context
		err  error
		want Outcome
	}{
		{"refused", context.Background(), broken, Retry},
		{"no answer", context.Background(), redisconn.ErrUnavailable, Snooze},
		{"refused while draining", ended(ErrDrain), broken, Handover},
	} {
		if got := NotRecorded(c.ctx, c.err).Outcome; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
