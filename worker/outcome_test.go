package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

func ended(cause error) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	return ctx
}

func TestJudge(t *testing.T) {
	t.Parallel()
	running := context.Background()
	of := func(k providers.Kind) error {
		return fmt.Errorf("wrapped: %w", &providers.Error{Op: "get", Bucket: "b", Kind: k})
	}
	for _, c := range []struct {
		name     string
		ctx      context.Context
		err      error
		failures int
		want     fate
	}{
		{"success", running, nil, 0, done},
		{"success on the last attempt", running, nil, 2, done},
		{"invalid", running, of(providers.Invalid), 0, failed},
		{"unauthenticated", running, of(providers.Unauthenticated), 0, failed},
		{"denied", running, of(providers.Denied), 0, failed},
		{"not found", running, of(providers.NotFound), 0, failed},
		{"blocked", running, of(providers.Blocked), 0, failed},
		{"conflict", running, of(providers.Conflict), 0, again},
		{"throttled", running, of(providers.Throttled), 0, wait},
		{"throttled on the last attempt", running, of(providers.Throttled), 2, wait},
		{"unavailable", running, of(providers.Unavailable), 1, again},
		{"unavailable on the last attempt", running, of(providers.Unavailable), 2, failed},
		{"unknown error", running, errors.New("?"), 0, again},
		{"panic on the last attempt", running, job.ErrPanic, 2, failed},
		{"Redis away on the last attempt", running, fmt.Errorf("x: %w", redisconn.ErrUnavailable), 2, wait},
		{"invalid payload", running, &tasks.InvalidError{}, 0, failed},
		{"failure noted by a shard", running, &notedError{}, 0, failed},
		{"drain", ended(errDrain), context.Canceled, 2, handover},
		{"drain shows as a bucket's error", ended(errDrain), of(providers.Unavailable), 2, handover},
		{"finished although draining", ended(errDrain), nil, 0, done},
		{"fenced while draining", ended(errDrain), queue.ErrFenced, 0, lost},
		{"out of time", ended(errTimeout), context.DeadlineExceeded, 0, failed},
		{"slow shard", ended(errSlow), context.DeadlineExceeded, 0, again},
		{"lease lost on the last attempt", ended(context.Canceled), context.Canceled, 2, wait},
		{"still running here", running, errTwice, 2, wait},
	} {
		if got := judge(c.ctx, c.err, c.failures, 3); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// What asynq makes of an answer decides over attempts, so the answers are
// held to its own rules.
func TestToAsynq(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, c := range []struct {
		fate              fate
		counts, archives  bool
		revokes, succeeds bool
	}{
		{done, true, false, false, true},
		{again, true, false, false, false},
		{wait, false, false, false, false},
		{handover, false, false, false, false},
		{failed, true, true, false, false},
		{lost, true, false, true, false},
	} {
		err := toAsynq(c.fate, cause)
		if isFailure(err) != c.counts || errors.Is(err, asynq.SkipRetry) != c.archives ||
			errors.Is(err, asynq.RevokeTask) != c.revokes || (err == nil) != c.succeeds {
			t.Errorf("%s gives %v", c.fate, err)
		}
	}
}

func TestRetryDelay(t *testing.T) {
	t.Parallel()
	asked := &providers.Error{Op: "get", Kind: providers.Throttled, RetryAfter: 42 * time.Second}
	for _, c := range []struct {
		name     string
		n        int
		err      error
		min, max time.Duration
	}{
		{"handed over", 0, toAsynq(handover, errDrain), 0, 0},
		{"as the server said", 0, toAsynq(wait, asked), 42 * time.Second, 42 * time.Second},
		{"worker died", 3, asynq.ErrLeaseExpired, 0, 0},
		{"asynq was asked to cancel it", 3, context.Canceled, 0, 0},
		{"first failure", 0, errors.New("?"), time.Second, 3 * time.Second},
		{"many failures", 5000, errors.New("?"), time.Second, 121 * time.Second},
	} {
		for range 50 {
			if got := retryDelay(c.n, c.err, nil); got < c.min || got > c.max {
				t.Errorf("%s: %v, want %v to %v", c.name, got, c.min, c.max)
			}
		}
	}
}

func TestTableRefusesGaps(t *testing.T) {
	t.Parallel()
	all := []Registration{}
	for _, k := range tasks.Kinds() {
		all = append(all, Registration{kind: k.Name})
	}
	served := pools(Config{VerifySlots: 1, JobSlots: 1, ShardSlots: 1})
	for name, c := range map[string]struct {
		jobs  []Registration
		pools []pool
	}{
		"a kind without a job":       {all[1:], served},
		"two jobs for a kind":        {append(all[:len(all):len(all)], all[0]), served},
		"a queue that nobody serves": {all, served[1:]},
		"an unknown kind":            {append(all[:len(all):len(all)], Registration{kind: "make-coffee"}), served},
	} {
		if _, err := table(c.jobs, c.pools); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := table(all, served); err != nil {
		t.Error(err)
	}
}

// asynq ends the process after its own Fatal, unless the logger that it was
// given does not.
func TestAsynqMayNotEndTheProcess(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	asynqLog{slog.New(slog.NewTextHandler(&text, nil))}.Fatal("redis", " is away")
	if !strings.Contains(text.String(), "level=ERROR") || !strings.Contains(text.String(), "redis is away") {
		t.Error(text.String())
	}
}
