package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// maxCancelTime is how soon all work of a cancelled job must have
// ended.
const maxCancelTime = 2 * time.Second

// waitCancelCounted waits until one cancelled job is counted.
func waitCancelCounted(t *testing.T, registries ...prometheus.Registerer) {
	t.Helper()
	queuetest.Eventually(t, 15*time.Second, "the cancelled job is counted", func() bool {
		return metric(t, "jobs_finished_total", "outcome", "cancelled", registries...) == 1
	})
}

// All work of a cancelled job ends soon on every worker, and no waiting
// shard is begun. The end is sent once.
func TestCancelOfShardedJob(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, o redisconn.Options) {
		h := newHarness(t, o)
		var work endlessWork
		m := &countingJob{shards: 300, work: func(ctx context.Context, _ job.Env, _ job.Shard) error {
			return work.do(ctx)
		}}
		one, two := newConfig(t, o), newConfig(t, o)
		startWorker(t, one, testJobs{manifest: m})
		startWorker(t, two, testJobs{manifest: m})
		h.submit(manifest, "m")
		work.waitBegun(t, 4)
		h.waitForState("m", tasks.StateRunning, 30*time.Second)
		if had := h.cancel("m"); had != tasks.StateRunning {
			t.Errorf("it was %s", had)
		}
		if s := h.status("m"); s.State != tasks.StateCancelled || s.Finished.IsZero() {
			t.Errorf("immediately afterwards: %+v", s)
		}
		work.waitEnded(t, 4)
		h.waitForTask(tasks.QueueJobs, "m", 15*time.Second, asynq.TaskStateCompleted)
		h.waitForEmptyQueue(tasks.QueueShards)
		if n := work.begun.Load(); n != 4 {
			t.Errorf("%d shards were begun", n)
		}
		s := h.status("m")
		if s.State != tasks.StateCancelled || len(s.Result) > 0 || s.Failure != nil {
			t.Errorf("later: %+v", s)
		}
		if n := h.checkEndEvent("m", 0, tasks.EventCancelled); n != 1 {
			t.Errorf("the end was sent %d times", n)
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
			n := metric(t, c.name, c.label, c.value, one.Registry, two.Registry)
			if n != c.want {
				t.Errorf("%s{%s=%s} = %v", c.name, c.label, c.value, n)
			}
		}
	})
}

// A job can be cancelled in each of its steps.
func TestCancelInEveryStep(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		job  tasks.Job
		jobs func(*endlessWork) testJobs
	}{
		{"running a single job", verify, func(w *endlessWork) testJobs {
			run := func(ctx context.Context, _ tasks.VerifyConnection, _ job.Env) (tasks.Result, error) {
				return nil, w.do(ctx)
			}
			return testJobs{verify: run}
		}},
		{"planning", manifest, func(w *endlessWork) testJobs {
			plan := func(ctx context.Context, shard string) error {
				if shard != "2" {
					return nil
				}
				return w.do(ctx)
			}
			return testJobs{manifest: &countingJob{shards: 3, plan: plan}}
		}},
		{"within a shard", manifest, func(w *endlessWork) testJobs {
			item := func(ctx context.Context, key string) error {
				if key != "0/5" {
					return nil
				}
				return w.do(ctx)
			}
			return testJobs{manifest: &countingJob{shards: 1, item: item}}
		}},
		{"finishing", manifest, func(w *endlessWork) testJobs {
			return testJobs{manifest: &countingJob{shards: 3, finish: w.do}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Embedded(t)
			h := newHarness(t, o)
			var work endlessWork
			conf := newConfig(t, o)
			startWorker(t, conf, c.jobs(&work))
			h.submit(c.job, "j")
			work.waitBegun(t, 1)
			h.cancel("j")
			work.waitEnded(t, 1)
			k, err := tasks.Lookup(c.job.Kind())
			h.must(err)
			h.waitForTask(k.Policy.Queue, "j", 15*time.Second, asynq.TaskStateCompleted)
			h.checkAsynqResult(k.Policy.Queue, "j", `{"state":"cancelled"}`)
			if s := h.status("j"); s.State != tasks.StateCancelled || len(s.Result) > 0 {
				t.Errorf("%+v", s)
			}
			h.checkEndEvent("j", 0, tasks.EventCancelled)
			waitCancelCounted(t, conf.Registry)
		})
	}
}

// A job that waits, for its first run or because it is throttled, is
// cancelled immediately and never runs again.
func TestCancelOfWaitingJob(t *testing.T) {
	t.Parallel()
	for name, throttled := range map[string]bool{"queued": false, "throttled": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Embedded(t)
			h := newHarness(t, o)
			var runs atomic.Int32
			conf := newConfig(t, o)
			busy := &providers.Error{
				Op: "list", Kind: providers.Throttled, RetryAfter: 2 * time.Second,
			}
			j := testJobs{verify: failing(&runs, busy)}
			h.submit(verify, "v")
			want := int32(0)
			if throttled {
				want = 1
				startWorker(t, conf, j)
				h.waitForTask(tasks.QueueVerify, "v", 10*time.Second, asynq.TaskStateRetry)
			}
			h.cancel("v")
			if s := h.status("v"); s.State != tasks.StateCancelled {
				t.Errorf("immediately afterwards: %+v", s)
			}
			if !throttled {
				startWorker(t, conf, j)
			}
			h.waitForTask(tasks.QueueVerify, "v", 30*time.Second, asynq.TaskStateCompleted)
			h.checkAsynqResult(tasks.QueueVerify, "v", `{"state":"cancelled"}`)
			if runs.Load() != want || h.status("v").State != tasks.StateCancelled {
				t.Errorf("%d runs, %+v", runs.Load(), h.status("v"))
			}
			h.checkEndEvent("v", 0, tasks.EventCancelled)
			waitCancelCounted(t, conf.Registry)
		})
	}
}

// asynq's own cancel, which is the button of asynqmon, would start the
// task again. Here it ends the job, whichever of the job's tasks it
// names.
func TestCancelButton(t *testing.T) {
	t.Parallel()
	for name, task := range map[string]string{"of the job": "m", "of a shard": "m:s:1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Start(t).Options()
			h := newHarness(t, o)
			var work endlessWork
			one, two := newConfig(t, o), newConfig(t, o)
			m := &countingJob{shards: 30, work: func(ctx context.Context, _ job.Env, _ job.Shard) error {
				return work.do(ctx)
			}}
			startWorker(t, one, testJobs{manifest: m})
			startWorker(t, two, testJobs{manifest: m})
			h.submit(manifest, "m")
			work.waitBegun(t, 4)
			h.must(h.inspector.CancelProcessing(task))
			h.waitForState("m", tasks.StateCancelled, maxCancelTime)
			work.waitEnded(t, 4)
			h.waitForTask(tasks.QueueJobs, "m", 10*time.Second, asynq.TaskStateCompleted)
			h.checkAsynqResult(tasks.QueueJobs, "m", `{"state":"cancelled"}`)
			h.waitForEmptyQueue(tasks.QueueShards)
			// The slot of a shard that asynq has cancelled may take
			// another shard before the job has ended.
			if n := work.begun.Load(); n > 8 {
				t.Errorf("%d shards were begun", n)
			}
			h.checkEndEvent("m", 0, tasks.EventCancelled)
			waitCancelCounted(t, one.Registry, two.Registry)
		})
	}
}

// checkAsynqResult checks what asynqmon shows as the result of a task.
func (h *harness) checkAsynqResult(name, id, want string) {
	h.t.Helper()
	info, err := h.inspector.GetTaskInfo(name, id)
	h.must(err)
	if string(info.Result) != want {
		h.t.Errorf("the result of task %s is %q, want %q", id, info.Result, want)
	}
}

// Cancelling a job that has ended changes nothing.
func TestCancelOfEndedJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	startWorker(t, newConfig(t, o), testJobs{manifest: &countingJob{shards: 2}})
	h.submit(manifest, "m")
	before := h.waitForEnd("m", 20*time.Second)
	if had := h.cancel("m"); had != tasks.StateSucceeded {
		t.Errorf("it was %s", had)
	}
	h.must(h.inspector.CancelProcessing("m"))
	checkResult(t, h.status("m"), 2)
	if after := h.status("m"); after.State != before.State || after.Finished != before.Finished {
		t.Errorf("%+v became %+v", before, after)
	}
	h.checkEndEvent("m", 0, tasks.EventSucceeded)
}
