package worker_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// maxHandover is how long a drain may take, and how long until another
// worker continues.
const maxHandover = 3 * time.Second

// resumption is the start of a run of a shard.
type resumption struct {
	at      time.Time
	after   string // key after which the run continues
	retries int    // failed attempts that asynq has counted
}

func resumedNow(ctx context.Context, after string) resumption {
	retries, _ := asynq.GetRetryCount(ctx)
	return resumption{time.Now(), after, retries}
}

// check checks that a run began soon after its worker was stopped, and
// that no attempt was used up.
func (r resumption) check(t *testing.T, stopped time.Time) {
	t.Helper()
	if r.retries != 0 {
		t.Errorf("resumed after %q with %d attempts used up", r.after, r.retries)
	}
	took := r.at.Sub(stopped)
	t.Logf("hand-over after %v", took)
	if took > maxHandover {
		t.Errorf("the hand-over took %v", took)
	}
}

// A worker that stops hands shards and coordinator over to another
// worker within seconds. Nothing is lost, and no attempt is used up.
func TestDrainHandsOver(t *testing.T) {
	t.Parallel()
	onEmbeddedAndReal(t, func(t *testing.T, o redisconn.Options) {
		work := newBlocker()
		before := &countingJob{shards: 6, work: func(ctx context.Context, _ job.Env, _ job.Shard) error {
			return work.block(ctx)
		}}
		resumed := make(chan resumption, 100)
		var retries atomic.Int64
		after := &countingJob{shards: 6, work: func(ctx context.Context, _ job.Env, s job.Shard) error {
			now := resumedNow(ctx, s.After)
			retries.Add(int64(now.retries))
			if s.Through == "0" || s.Through == "1" { // the shards that the first worker had
				resumed <- now
			}
			return nil
		}}
		first := startWorker(t, newConfig(t, o), testJobs{manifest: before})
		c := newClient(t, o)
		enqueue(t, c, manifest, "m")
		work.waitBlocked(t, 2)
		startWorker(t, newConfig(t, o), testJobs{manifest: after})
		stopped := time.Now()
		first.stop()
		if took := time.Since(stopped); took > maxHandover {
			t.Errorf("the drain took %v", took)
		}
		checkResult(t, waitForJob(t, c, "m", 20*time.Second), 6)
		receive(t, resumed, "a shard is resumed").check(t, stopped)
		if n := retries.Load(); n != 0 {
			t.Errorf("%d attempts were used up", n)
		}
	})
}

// The single job of a stopping worker runs again elsewhere, from its
// beginning.
func TestDrainOfSingleJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	work := newBlocker()
	blocked := func(ctx context.Context, _ tasks.VerifyConnection, _ job.Env) (tasks.Result, error) {
		return nil, work.block(ctx)
	}
	first := startWorker(t, newConfig(t, o), testJobs{verify: blocked})
	c := newClient(t, o)
	enqueue(t, c, verify, "v")
	work.waitBlocked(t, 1)
	first.stop()
	if s, err := c.Status(t.Context(), "v"); err != nil || s.State != tasks.StateRunning {
		t.Errorf("after the drain: %+v, %v", s, err)
	}
	var runs atomic.Int32
	startWorker(t, newConfig(t, o), testJobs{verify: failing(&runs)})
	if s := waitForJob(t, c, "v", 10*time.Second); s.State != tasks.StateSucceeded {
		t.Errorf("ended as %+v", s)
	}
}

// A worker that stops commits what it has done of a shard. The next
// worker continues after it, and no shard counts as crashed.
func TestDrainCommitsWhatWasDone(t *testing.T) {
	t.Parallel()
	onEmbeddedAndReal(t, func(t *testing.T, o redisconn.Options) {
		h := newHarness(t, o)
		half := newBlocker()
		var items counts
		before := &countingJob{shards: 2, item: func(ctx context.Context, key string) error {
			items.add(key)
			if key[2:] != "5" {
				return nil
			}
			return half.block(ctx)
		}}
		resumed := make(chan resumption, 10)
		after := &countingJob{
			shards: 2,
			work: func(ctx context.Context, _ job.Env, s job.Shard) error {
				resumed <- resumedNow(ctx, s.After)
				return nil
			},
			item: func(_ context.Context, key string) error {
				items.add(key)
				return nil
			},
		}
		first := startWorker(t, newConfig(t, o), testJobs{manifest: before})
		h.submit(manifest, "m")
		half.waitBlocked(t, 2)
		conf := newConfig(t, o)
		startWorker(t, conf, testJobs{manifest: after})
		stopped := time.Now()
		first.stop()
		checkResult(t, h.waitForEnd("m", 20*time.Second), 2)
		for range 2 {
			r := receive(t, resumed, "a shard is resumed")
			r.check(t, stopped)
			if r.after != "0/4" && r.after != "1/4" {
				t.Errorf("resumed after %q", r.after)
			}
		}
		for _, key := range []string{"0/0", "0/4", "1/0", "1/4", "0/6", "1/9"} {
			if n := items.of(key); n != 1 {
				t.Errorf("%s was processed %d times", key, n)
			}
		}
		if n := metric(t, "shards_replaced_total", "kind", manifest.Kind(), conf.Registry); n != 0 {
			t.Errorf("%v shards were replaced", n)
		}
	})
}

// counts holds how often something happened, by name.
type counts struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *counts) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[name]++
}

func (c *counts) of(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[name]
}
