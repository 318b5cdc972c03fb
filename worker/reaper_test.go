package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// recordDeaths records that a job's coordinator died so often.
func (h *harness) recordDeaths(id string, times int) {
	h.t.Helper()
	for range times {
		health, err := h.store.Reaper().Inspect(h.t.Context(), id)
		h.must(err)
		_, err = h.store.Reaper().TakeOver(h.t.Context(), id, health, 0)
		h.must(err)
	}
}

// One worker finds jobs in every state that a death can leave them in,
// and brings each to its end.
func TestReaper(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	h := newHarness(t, o)
	var runs atomic.Int32
	work := newBlocker()
	m := &countingJob{shards: 3, work: func(ctx context.Context, env job.Env, _ job.Shard) error {
		if env.ID != "running" {
			return nil
		}
		return work.block(ctx)
	}}
	h.leaveOrphans()
	conf := newConfig(t, o)
	startWorker(t, conf, testJobs{manifest: m, verify: failing(&runs)})
	work.waitBlocked(t, 2)
	checkOldTaskDoesNothing(t, h, "running")
	work.release()
	checkResult(t, h.waitForEnd("running", 20*time.Second), 3)
	for id, state := range map[string]tasks.State{
		"unsent":        tasks.StateSucceeded,
		"single":        tasks.StateSucceeded,
		"deadly":        tasks.StateFailed,
		"deadly-single": tasks.StateFailed,
	} {
		s := h.waitForEnd(id, 20*time.Second)
		if s.State != state {
			t.Errorf("%s: %+v, %+v", id, s, s.Failure)
		}
		code := map[string]string{"deadly": "WorkerDied", "deadly-single": "kills-worker"}[id]
		if state == tasks.StateFailed &&
			(s.Failure == nil || s.Failure.Code != code || s.Failure.Fix == "") {
			t.Errorf("%s: %+v", id, s.Failure)
		}
		h.checkEndEvent(id, 0, tasks.EventType(state))
	}
	gen, crashes := h.recordField("waiting", "gen"), h.recordField("waiting", "crashes")
	if gen != "" || crashes != "" {
		t.Errorf("the waiting job: generation %q, crashes %q", gen, crashes)
	}
	if runs.Load() != 2 {
		t.Errorf("%d runs of the single jobs", runs.Load())
	}
	queuetest.Eventually(t, 15*time.Second, "both failures are counted", func() bool {
		return metric(t, "jobs_finished_total", "outcome", "failed", conf.Registry) == 2
	})
}

// leaveOrphans leaves jobs without a live worker:
//
//   - running: the coordinator died with its shards under way, and its task
//     with it
//   - unsent: the producer died between record and task
//   - deadly: a sharded job that has killed its workers again and again
//   - deadly-single: a single job that has killed its workers again and again
//   - single: a single job whose worker died once
//   - waiting: it was handed over, and waits in a long queue. It is no orphan
func (h *harness) leaveOrphans() {
	h.t.Helper()
	h.claimPlanned(manifest, "running", 3)
	h.createRecord(verify, "unsent")
	h.claimPlanned(manifest, "deadly", 1)
	h.recordDeaths("deadly", 10)
	careful := h.claim(verify, "deadly-single", tasks.StateRunning)
	h.recordDeaths("deadly-single", 3)
	h.must(careful.BeginCareful(h.t.Context()))
	h.claim(verify, "single", tasks.StateRunning)
	h.recordDeaths("single", 1)
	h.claimPlanned(manifest, "waiting", 1)
	h.enqueueLater(manifest, asynqtask.JobRef{Job: "waiting"}, time.Hour)
	for _, id := range []string{"running", "deadly", "deadly-single", "single", "waiting"} {
		h.makeSilent(id)
	}
	h.setRecordTime("unsent", "beat", time.Now().Add(-time.Minute))
}

// checkOldTaskDoesNothing has asynq run the first task of a job that a
// later task carries, as asynq's recoverer does after a minute.
func checkOldTaskDoesNothing(t *testing.T, h *harness, id string) {
	t.Helper()
	epoch := h.recordField(id, "epoch")
	h.enqueueTask(manifest, asynqtask.JobRef{Job: id})
	h.waitForTask(tasks.QueueJobs, id, 10*time.Second, asynq.TaskStateCompleted)
	if now := h.recordField(id, "epoch"); now != epoch {
		t.Errorf("the old task took the job: epoch %s became %s", epoch, now)
	}
}

// A worker died after asynq gave it a job's task and before it began
// the job. The lease is lost too, so asynq never looks at the task
// again.
func TestOrphanOfQueuedJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	h := newHarness(t, o)
	h.submit(verify, "v")
	h.abandonTask(tasks.QueueVerify, "v")
	h.setRecordTime("v", "beat", time.Now().Add(-time.Minute))
	var runs atomic.Int32
	startWorker(t, newConfig(t, o), testJobs{verify: failing(&runs)})
	s := h.waitForEnd("v", 20*time.Second)
	if s.State != tasks.StateSucceeded || runs.Load() != 1 {
		t.Errorf("%+v after %d runs", s, runs.Load())
	}
}

// A coordinator whose process lives but sends no heartbeat is fenced.
// The job continues elsewhere within half a minute.
func TestSilentCoordinatorIsReplaced(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	h := newHarness(t, o)
	silent := startSilentWorker(t, o, tasks.QueueJobs, func(ctx context.Context, task *asynq.Task) {
		_, err := h.store.Claim(ctx, queue.ClaimRequest{
			Ref:     asynqtask.JobRef{Job: "m"},
			Kind:    manifest.Kind(),
			Payload: task.Payload(),
			Queue:   tasks.QueueJobs,
			First:   tasks.StatePlanning,
		})
		if err != nil {
			t.Error(err)
		}
	})
	h.submit(manifest, "m")
	receive(t, silent.taken, "the silent worker takes the task")
	from := time.Now()
	m := &countingJob{shards: 3}
	startWorker(t, newConfig(t, o), testJobs{manifest: m})
	checkResult(t, h.waitForEnd("m", 40*time.Second), 3)
	if took := time.Since(from); took > 38*time.Second {
		t.Errorf("it took %v", took)
	}
	silent.wakeUp()
	h.waitForTask(tasks.QueueJobs, "m", 10*time.Second, asynq.TaskStateCompleted)
	for i := range 3 {
		if n := m.times(i); n != 1 {
			t.Errorf("shard %d was done %d times", i, n)
		}
	}
	if n := h.checkEndEvent("m", 0, tasks.EventSucceeded); n != 1 {
		t.Errorf("the end was sent %d times: %v", n, h.events("m"))
	}
}

// A coordinator died after it saved a shard and before it enqueued the
// shard's task. The next coordinator finds the shard and continues
// planning after it.
func TestCoordinatorContinuesPlanning(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	lease := h.claim(manifest, "m", tasks.StatePlanning)
	h.planShards(lease, 2)
	planned := make(chan string, 100)
	m := &countingJob{shards: 5, plan: func(_ context.Context, shard string) error {
		planned <- shard
		return nil
	}}
	h.enqueueTask(manifest, asynqtask.JobRef{Job: "m"})
	startWorker(t, newConfig(t, o), testJobs{manifest: m})
	checkResult(t, h.waitForEnd("m", 10*time.Second), 5)
	if first := receive(t, planned, "a shard is planned"); first != "2" {
		t.Errorf("planning continued with shard %s, want 2", first)
	}
}

// A coordinator that lost its job to another one notices it, stops, and
// publishes nothing.
func TestFencedCoordinatorStops(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	work := newBlocker()
	stopped := make(chan struct{})
	run := func(ctx context.Context, _ tasks.VerifyConnection, _ job.Env) (tasks.Result, error) {
		err := work.block(ctx)
		close(stopped)
		return tasks.VerifyConnectionResult{Verdict: "from the fenced coordinator"}, err
	}
	startWorker(t, newConfig(t, o), testJobs{verify: run})
	h.submit(verify, "v")
	work.waitBlocked(t, 1)
	lease, err := h.store.Claim(t.Context(), queue.ClaimRequest{
		Ref:   asynqtask.JobRef{Job: "v"},
		Kind:  verify.Kind(),
		Queue: tasks.QueueVerify,
		First: tasks.StateRunning,
	})
	h.must(err)
	receive(t, stopped, "the fenced coordinator stops")
	const result = `{"ok":true,"verdict":"fine","checks":null}`
	h.must(lease.Publish(t.Context(), queue.End{Result: []byte(result), Keep: time.Hour}))
	if s := h.waitForEnd("v", 10*time.Second); string(s.Result) != result {
		t.Errorf("result %s", s.Result)
	}
}
