package worker_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// crowd counts the shards that run at once, over all workers, and in turn
// which job's ended.
type crowd struct {
	mu        sync.Mutex
	now, most int
	turns     []string
}

func (c *crowd) work(ctx context.Context, env job.Env, _ job.Shard) error {
	c.mu.Lock()
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.now--
		c.turns = append(c.turns, env.ID)
	}()
	select {
	case <-time.After(30 * time.Millisecond): // what a shard takes
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// turn is when the nth shard of a job ended.
func (c *crowd) turn(id string, n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, t := range c.turns {
		if t == id {
			n--
		}
		if n == 0 {
			return i
		}
	}
	return len(c.turns)
}

// A cap holds over all jobs and workers, is shared fairly, and is given back
// at the end.
func TestCaps(t *testing.T) {
	t.Parallel()
	other := tasks.BuildManifest{Source: tasks.Storage{Provider: "mem", Bucket: "other"}}
	tenant := tasks.Terms{Tenant: "acme"}
	for name, c := range map[string]struct {
		set       func(*worker.Config)
		one, two  tasks.Job
		most, all int // at once; all when it is no limit
	}{
		"a bucket's": {func(c *worker.Config) { c.BucketShards = 2 }, manifest, manifest, 2, 2},
		"a tenant's": {func(c *worker.Config) { c.TenantShards = 2 }, tasks.WithTerms(manifest, tenant), tasks.WithTerms(other, tenant), 2, 2},
		"of another": {func(c *worker.Config) { c.BucketShards = 2 }, manifest, other, 4, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Start(t).Options()
			l := newHarness(t, o)
			var crowd crowd
			m := &counting{shards: 20, work: crowd.work}
			for range 2 {
				conf := config(t, o)
				conf.ShardSlots = 4
				c.set(&conf)
				start(t, conf, jobs{manifest: m})
			}
			l.put(c.one, "one")
			l.reaches("one", tasks.StateRunning, 10*time.Second)
			l.put(c.two, "two")
			for _, id := range []string{"one", "two"} {
				result(t, l.ended(id, 40*time.Second), 20)
			}
			if crowd.most > c.most {
				t.Errorf("%d shards at once, want %d", crowd.most, c.most)
			}
			if crowd.turn("two", 5) > crowd.turn("one", 20) {
				t.Errorf("the second job had to wait for the first: %v", crowd.turns)
			}
			left, err := l.redis.Keys(t.Context(), "stevedore:cap:*").Result()
			if err != nil || len(left) != 0 {
				t.Errorf("not given back: %v, %v", left, err)
			}
		})
	}
}

// While a coordinator is handed over its shards run on, so their share of the
// cap is nobody else's.
func TestCapOutlivesHandover(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	l := newHarness(t, o)
	held := newGate()
	m := &counting{shards: 2, work: func(ctx context.Context, _ job.Env, _ job.Shard) error { return held.pass(ctx) }}
	conf := config(t, o)
	conf.BucketShards = 2
	first := start(t, conf, jobs{manifest: m})
	l.put(manifest, "m")
	held.waitHeld(t, 2)
	first.stop()
	n, err := l.redis.HLen(t.Context(), "stevedore:cap:{bucket:"+storage.ID()+"}").Result()
	if err != nil || n != 1 {
		t.Errorf("%d shares, %v", n, err)
	}
	l.cancel("m")
}

// A job that fails or is cancelled gives its shares back too.
func TestCapIsGivenBackAtEveryEnd(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	l := newHarness(t, o)
	held := newGate()
	conf := config(t, o)
	conf.BucketShards = 1
	start(t, conf, jobs{manifest: &counting{shards: 5, work: func(ctx context.Context, _ job.Env, _ job.Shard) error { return held.pass(ctx) }}})
	for id, job := range map[string]tasks.Job{"cancelled": manifest, "failed": tasks.WithTerms(manifest, tasks.Terms{Deadline: time.Now().Add(4 * time.Second)})} {
		l.put(job, id)
		held.waitHeld(t, 1)
		if id == "cancelled" {
			l.cancel(id)
		}
		l.ended(id, 20*time.Second)
		queuetest.Eventually(t, 10*time.Second, "the share is given back", func() bool {
			left, err := l.redis.Keys(t.Context(), "stevedore:cap:*").Result()
			return err == nil && len(left) == 0
		})
	}
}

// The window bounds what of a job is on the queue, and holds nothing up: many
// small shards go through quickly.
func TestWindow(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	l := newHarness(t, o)
	held := newGate()
	m := &counting{shards: 300, work: func(ctx context.Context, _ job.Env, _ job.Shard) error { return held.pass(ctx) }}
	conf := config(t, o)
	conf.ShardSlots = 8
	start(t, conf, jobs{manifest: m})
	l.put(manifest, "m")
	held.waitHeld(t, 8)
	l.reaches("m", tasks.StateRunning, 10*time.Second)
	q, err := l.inspector.GetQueueInfo(tasks.QueueShards)
	if err != nil || q.Size > 64 {
		t.Errorf("%+v, %v", q, err)
	}
	from := time.Now()
	close(held.open)
	result(t, l.ended("m", 40*time.Second), 300)
	if took := time.Since(from); took > 40*time.Second {
		t.Errorf("it took %v", took)
	}
}

// A job's tasks and its shards' are on the queues of its priority, and of
// three jobs at once none is starved.
func TestPriorities(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	l := newHarness(t, o)
	var crowd crowd
	conf := config(t, o)
	conf.JobSlots = 4
	start(t, conf, jobs{manifest: &counting{shards: 60, work: crowd.work}})
	priorities := []tasks.Priority{tasks.PriorityLow, tasks.PriorityNormal, tasks.PriorityHigh}
	for _, p := range priorities {
		l.put(tasks.WithTerms(manifest, tasks.Terms{Priority: p}), string(p))
	}
	for _, p := range priorities {
		result(t, l.ended(string(p), 60*time.Second), 60)
		for _, base := range []string{tasks.QueueJobs, tasks.QueueShards} {
			want := map[string]int{tasks.QueueJobs: 1, tasks.QueueShards: 60}[base]
			queuetest.Eventually(t, 10*time.Second, "all came by "+p.Queue(base), func() bool {
				q, err := l.inspector.GetQueueInfo(p.Queue(base))
				return err == nil && q.ProcessedTotal >= want
			})
		}
	}
	if high, low := crowd.turn("high", 60), crowd.turn("low", 60); high > low {
		t.Errorf("the last of high came as %d, of low as %d", high, low)
	}
	if first := crowd.turn("low", 1); first > crowd.turn("high", 60) && first > crowd.turn("normal", 60) {
		t.Errorf("low was starved: %v", crowd.turns)
	}
}
