package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// letGo is how soon all work of a cancelled job must have ended.
const letGo = 2 * time.Second

// stuck is work that ends with its context alone, and tells how much of it
// has begun and ended.
type stuck struct{ begun, ended atomic.Int64 }

func (s *stuck) do(ctx context.Context) error {
	s.begun.Add(1)
	<-ctx.Done()
	s.ended.Add(1)
	return ctx.Err()
}

func (s *stuck) begins(t testing.TB, n int64) {
	t.Helper()
	queuetest.Eventually(t, 10*time.Second, "the work begins", func() bool { return s.begun.Load() == n })
}

func (s *stuck) ends(t testing.TB, n int64) {
	t.Helper()
	from := time.Now()
	queuetest.Eventually(t, letGo, "the work ends", func() bool { return s.ended.Load() >= n && s.ended.Load() == s.begun.Load() })
	t.Logf("the work of a cancelled job had ended after %v", time.Since(from))
}

// Everything of a cancelled job ends soon on every worker, what waits is not
// begun, and the world hears of it once.
func TestCancelOfShardedJob(t *testing.T) {
	t.Parallel()
	onEvery(t, func(t *testing.T, o redisconn.Options) {
		l := newHarness(t, o)
		var reads stuck
		m := &counting{shards: 300, work: func(ctx context.Context, _ job.Env, _ job.Shard) error { return reads.do(ctx) }}
		one, two := config(t, o), config(t, o)
		start(t, one, jobs{manifest: m})
		start(t, two, jobs{manifest: m})
		l.put(manifest, "m")
		reads.begins(t, 4)
		l.reaches("m", tasks.StateRunning, 30*time.Second)
		if had := l.cancel("m"); had != tasks.StateRunning {
			t.Errorf("it was %s", had)
		}
		if s := l.status("m"); s.State != tasks.StateCancelled || s.Finished.IsZero() {
			t.Errorf("at once: %+v", s)
		}
		reads.ends(t, 4)
		l.taskIs(tasks.QueueJobs, "m", 15*time.Second, asynq.TaskStateCompleted)
		queuetest.Eventually(t, 10*time.Second, "no shard is left", func() bool {
			q, err := l.inspector.GetQueueInfo(tasks.QueueShards)
			return err == nil && q.Size == 0
		})
		if n := reads.begun.Load(); n != 4 {
			t.Errorf("%d shards were begun", n)
		}
		if s := l.status("m"); s.State != tasks.StateCancelled || len(s.Result) > 0 || s.Failure != nil {
			t.Errorf("later: %+v", s)
		}
		if n := l.final("m", 0, tasks.EventCancelled); n != 1 {
			t.Errorf("told %d times", n)
		}
		for _, c := range []struct {
			name, label, value string
			want               float64
		}{
			{"jobs_finished_total", "outcome", "cancelled", 1},
			{"jobs_finished_total", "kind", manifest.Kind(), 1},
			{"attempts_total", "outcome", "retry", 0},
			{"duplicate_commits_total", "kind", manifest.Kind(), 0},
		} {
			if n := count(t, c.name, c.label, c.value, one.Registry, two.Registry); n != c.want {
				t.Errorf("%s{%s=%s} = %v", c.name, c.label, c.value, n)
			}
		}
	})
}

// A job can be cancelled wherever it is in its life.
func TestCancelAnywhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		job  tasks.Job
		jobs func(*stuck) jobs
	}{
		"a single job": {verify, func(s *stuck) jobs {
			return jobs{verify: func(ctx context.Context, _ tasks.VerifyConnection, _ job.Env) (tasks.Result, error) {
				return nil, s.do(ctx)
			}}
		}},
		"planning": {manifest, func(s *stuck) jobs {
			return jobs{manifest: &counting{shards: 3, plan: func(ctx context.Context, shard string) error {
				if shard != "2" {
					return nil
				}
				return s.do(ctx)
			}}}
		}},
		"in the midst of a shard": {manifest, func(s *stuck) jobs {
			return jobs{manifest: &counting{shards: 1, item: func(ctx context.Context, key string) error {
				if key != "0/5" {
					return nil
				}
				return s.do(ctx)
			}}}
		}},
		"finishing": {manifest, func(s *stuck) jobs {
			return jobs{manifest: &counting{shards: 3, finish: s.do}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Embedded(t)
			l := newHarness(t, o)
			var work stuck
			conf := config(t, o)
			start(t, conf, c.jobs(&work))
			l.put(c.job, "j")
			work.begins(t, 1)
			l.cancel("j")
			work.ends(t, 1)
			k, _ := tasks.Lookup(c.job.Kind())
			l.taskIs(k.Policy.Queue, "j", 15*time.Second, asynq.TaskStateCompleted)
			if s := l.status("j"); s.State != tasks.StateCancelled || len(s.Result) > 0 {
				t.Errorf("%+v", s)
			}
			l.final("j", 0, tasks.EventCancelled)
			queuetest.Eventually(t, 15*time.Second, "it is counted", func() bool {
				return count(t, "jobs_finished_total", "outcome", "cancelled", conf.Registry) == 1
			})
		})
	}
}

// A job that waits, for its first run or after a throttling, is cancelled at
// once and never runs again.
func TestCancelOfWaitingJob(t *testing.T) {
	t.Parallel()
	for name, throttled := range map[string]bool{"queued": false, "throttled": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Embedded(t)
			l := newHarness(t, o)
			var runs atomic.Int32
			conf := config(t, o)
			j := jobs{verify: failing(&runs, &providers.Error{Op: "list", Kind: providers.Throttled, RetryAfter: 2 * time.Second})}
			l.put(verify, "v")
			want := int32(0)
			if throttled {
				want = 1
				start(t, conf, j)
				l.taskIs(tasks.QueueVerify, "v", 10*time.Second, asynq.TaskStateRetry)
			}
			l.cancel("v")
			if s := l.status("v"); s.State != tasks.StateCancelled {
				t.Errorf("at once: %+v", s)
			}
			if !throttled {
				start(t, conf, j)
			}
			l.taskIs(tasks.QueueVerify, "v", 10*time.Second, asynq.TaskStateCompleted)
			if runs.Load() != want || l.status("v").State != tasks.StateCancelled {
				t.Errorf("%d runs, %+v", runs.Load(), l.status("v"))
			}
			l.final("v", 0, tasks.EventCancelled)
			queuetest.Eventually(t, 15*time.Second, "it is counted", func() bool {
				return count(t, "jobs_finished_total", "outcome", "cancelled", conf.Registry) == 1
			})
		})
	}
}

// asynq's own cancel, which is asynqmon's button, would make a task start
// again. Here it ends the job, whichever of its tasks was meant.
func TestCancelButton(t *testing.T) {
	t.Parallel()
	for name, task := range map[string]string{"of the job": "m", "of a shard": "m:s:1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Start(t).Options()
			l := newHarness(t, o)
			var work stuck
			one, two := config(t, o), config(t, o)
			m := &counting{shards: 30, work: func(ctx context.Context, _ job.Env, _ job.Shard) error { return work.do(ctx) }}
			start(t, one, jobs{manifest: m})
			start(t, two, jobs{manifest: m})
			l.put(manifest, "m")
			work.begins(t, 4)
			l.must(l.inspector.CancelProcessing(task))
			queuetest.Eventually(t, letGo, "it is cancelled", func() bool { return l.status("m").State == tasks.StateCancelled })
			work.ends(t, 4)
			l.taskIs(tasks.QueueJobs, "m", 10*time.Second, asynq.TaskStateCompleted)
			queuetest.Eventually(t, 10*time.Second, "no shard is left", func() bool {
				q, err := l.inspector.GetQueueInfo(tasks.QueueShards)
				return err == nil && q.Size == 0
			})
			if n := work.begun.Load(); n > 8 { // the slot of a shard that asynq has cancelled takes another before the job has ended
				t.Errorf("%d shards were begun", n)
			}
			l.final("m", 0, tasks.EventCancelled)
			queuetest.Eventually(t, 15*time.Second, "it is counted", func() bool {
				return count(t, "jobs_finished_total", "outcome", "cancelled", one.Registry, two.Registry) == 1
			})
		})
	}
}

func TestCancelOfEndedJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	l := newHarness(t, o)
	start(t, config(t, o), jobs{manifest: &counting{shards: 2}})
	l.put(manifest, "m")
	before := l.ended("m", 20*time.Second)
	if had := l.cancel("m"); had != tasks.StateSucceeded {
		t.Errorf("it was %s", had)
	}
	l.must(l.inspector.CancelProcessing("m"))
	result(t, l.status("m"), 2)
	if after := l.status("m"); after.State != before.State || after.Finished != before.Finished {
		t.Errorf("%+v became %+v", before, after)
	}
	l.final("m", 0, tasks.EventSucceeded)
}
