package worker_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// shardLog records how many shards run at once, over all workers, and
// in which order the shards of several jobs end.
type shardLog struct {
	mu           sync.Mutex
	atOnce, most int
	ended        []string // the job of each shard
}

// work takes as long as a short shard.
func (l *shardLog) work(ctx context.Context, env job.Env, _ job.Shard) error {
	l.mu.Lock()
	l.atOnce++
	l.most = max(l.most, l.atOnce)
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.atOnce--
		l.ended = append(l.ended, env.ID)
	}()
	return elapse(ctx, 30*time.Millisecond)
}

// position returns the place at which the nth shard of a job ended,
// among the shards of all jobs.
func (l *shardLog) position(id string, n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, job := range l.ended {
		if job == id {
			n--
		}
		if n == 0 {
			return i
		}
	}
	return len(l.ended)
}

// caps lists the caps of which tasks hold places.
func (h *harness) caps() []string {
	h.t.Helper()
	keys, err := h.redis.Keys(h.t.Context(), "stevedore:capped:*").Result()
	h.must(err)
	return keys
}

// A cap holds over all jobs and workers. It is shared fairly, and
// released at the end.
func TestCaps(t *testing.T) {
	t.Parallel()
	other := tasks.BuildManifest{Source: tasks.Storage{Provider: "mem", Bucket: "other"}}
	tenant := tasks.Terms{Tenant: "acme"}
	for _, c := range []struct {
		name     string
		set      func(*worker.Config)
		one, two tasks.Job
		most     int // shards at once
	}{
		{
			"two jobs on one bucket",
			func(c *worker.Config) { c.BucketShards = 2 },
			manifest, manifest, 2,
		},
		{
			"two jobs of one tenant",
			func(c *worker.Config) { c.TenantShards = 2 },
			tasks.WithTerms(manifest, tenant), tasks.WithTerms(other, tenant), 2,
		},
		{
			"two jobs on two buckets",
			func(c *worker.Config) { c.BucketShards = 2 },
			manifest, other, 4,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Start(t).Options()
			h := newHarness(t, o)
			var log shardLog
			m := &countingJob{shards: 20, work: log.work}
			for range 2 {
				conf := newConfig(t, o)
				conf.ShardSlots = 4
				c.set(&conf)
				startWorker(t, conf, testJobs{manifest: m})
			}
			h.submit(c.one, "one")
			h.waitForState("one", tasks.StateRunning, 10*time.Second)
			h.submit(c.two, "two")
			for _, id := range []string{"one", "two"} {
				checkResult(t, h.waitForEnd(id, 40*time.Second), 20)
			}
			if log.most > c.most {
				t.Errorf("%d shards at once, want %d", log.most, c.most)
			}
			if log.position("two", 5) > log.position("one", 20) {
				t.Errorf("the second job had to wait for the first: %v", log.ended)
			}
			if left := h.caps(); len(left) != 0 {
				t.Errorf("not released: %v", left)
			}
		})
	}
}

// While the coordinator of a job is away, its shards run on and hold
// their places. So do runs that were replaced because they are stuck: a
// second run does not begin beside them.
func TestCapHoldsWithoutCoordinatorAndWithStuckRuns(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	h := newHarness(t, o)
	var log shardLog
	work := newBlocker()
	m := &countingJob{shards: 4, work: func(ctx context.Context, env job.Env, s job.Shard) error {
		return errors.Join(log.work(ctx, env, s), work.block(context.WithoutCancel(ctx)))
	}}
	conf := newConfig(t, o)
	conf.TenantShards = 1
	startWorker(t, conf, testJobs{manifest: m})
	terms := tasks.Terms{Tenant: "acme"}
	h.submit(tasks.WithTerms(manifest, terms), "m")
	work.waitBlocked(t, 1)

	// Another coordinator has the job, and dies. A run of the next
	// generation is enqueued, as for a stuck shard.
	lease := h.claim(tasks.WithTerms(manifest, terms), "m", tasks.StateRunning)
	h.recordCrash(lease, 0)
	h.must(h.tasks.EnqueueShard(t.Context(), asynqtask.Shard{
		Kind:        manifest.Kind(),
		Ref:         asynqtask.ShardRef{Job: "m", Generation: 1},
		Queue:       tasks.QueueShards,
		ShardShares: asynqtask.ShardShares{Tenant: "acme"},
	}))
	_ = elapse(t.Context(), 2*time.Second)
	if n := metric(t, "slots_busy", "pool", "shards", conf.Registry); n != 1 {
		t.Errorf("%v slots are busy", n)
	}
	if want := "stevedore:capped:{shards:tenant:acme}"; !slices.Contains(h.caps(), want) {
		t.Errorf("capped are %v, want %s", h.caps(), want)
	}
	work.release()
	h.cancel("m")
	queuetest.Eventually(t, 10*time.Second, "the caps are released", func() bool {
		return len(h.caps()) == 0
	})
}

// A job that fails or is cancelled gives its places back too.
func TestCapIsReleasedAtEveryEnd(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	h := newHarness(t, o)
	work := newBlocker()
	m := &countingJob{shards: 5, work: func(ctx context.Context, _ job.Env, _ job.Shard) error {
		return work.block(ctx)
	}}
	conf := newConfig(t, o)
	conf.BucketShards = 1
	startWorker(t, conf, testJobs{manifest: m})
	soon := tasks.Terms{Deadline: time.Now().Add(4 * time.Second)}
	for id, job := range map[string]tasks.Job{
		"cancelled": manifest,
		"failed":    tasks.WithTerms(manifest, soon),
	} {
		h.submit(job, id)
		work.waitBlocked(t, 1)
		if id == "cancelled" {
			h.cancel(id)
		}
		h.waitForEnd(id, 20*time.Second)
		queuetest.Eventually(t, 10*time.Second, "the cap is released", func() bool {
			return len(h.caps()) == 0
		})
	}
}

// While its shards take long, a job has few of them on the queue. That
// holds nothing up: many small shards are done quickly.
func TestInflightLimit(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	h := newHarness(t, o)
	work := newBlocker()
	m := &countingJob{shards: 300, work: func(ctx context.Context, _ job.Env, _ job.Shard) error {
		return work.block(ctx)
	}}
	conf := newConfig(t, o)
	conf.ShardSlots = 8
	startWorker(t, conf, testJobs{manifest: m})
	h.submit(manifest, "m")
	work.waitBlocked(t, 8)
	h.waitForState("m", tasks.StateRunning, 10*time.Second)
	q, err := h.inspector.GetQueueInfo(tasks.QueueShards)
	if err != nil || q.Size > 12 {
		t.Errorf("%+v, %v", q, err)
	}
	from := time.Now()
	work.release()
	checkResult(t, h.waitForEnd("m", 40*time.Second), 300)
	if took := time.Since(from); took > 40*time.Second {
		t.Errorf("it took %v", took)
	}
}

// The tasks of a job and of its shards are on the queues of its
// priority. Of three jobs at once none is starved.
func TestPriorities(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	h := newHarness(t, o)
	var log shardLog
	conf := newConfig(t, o)
	conf.JobSlots = 4
	startWorker(t, conf, testJobs{manifest: &countingJob{shards: 60, work: log.work}})
	priorities := []tasks.Priority{tasks.PriorityLow, tasks.PriorityNormal, tasks.PriorityHigh}
	for _, p := range priorities {
		h.submit(tasks.WithTerms(manifest, tasks.Terms{Priority: p}), string(p))
	}
	for _, p := range priorities {
		checkResult(t, h.waitForEnd(string(p), 60*time.Second), 60)
		for base, want := range map[string]int{tasks.QueueJobs: 1, tasks.QueueShards: 60} {
			name := p.Queue(base)
			queuetest.Eventually(t, 10*time.Second, "all tasks were on "+name, func() bool {
				q, err := h.inspector.GetQueueInfo(name)
				return err == nil && q.ProcessedTotal >= want
			})
		}
	}
	if high, low := log.position("high", 60), log.position("low", 60); high > low {
		t.Errorf("the last shard of high ended as %d, that of low as %d", high, low)
	}
	first := log.position("low", 1)
	if first > log.position("high", 60) && first > log.position("normal", 60) {
		t.Errorf("low was starved: %v", log.ended)
	}
}
