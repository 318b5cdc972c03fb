package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// stubborn is a verification that ignores its context. It counts its
// runs.
type stubborn struct {
	atOnce, most, runs atomic.Int32
	end                chan struct{} // closed to let all runs end
}

func newStubborn() *stubborn { return &stubborn{end: make(chan struct{})} }

func (s *stubborn) run(context.Context, tasks.VerifyConnection, job.Env) (tasks.Result, error) {
	s.most.Store(max(s.most.Load(), s.atOnce.Add(1)))
	defer s.atOnce.Add(-1)
	s.runs.Add(1)
	<-s.end
	return tasks.VerifyConnectionResult{OK: true}, nil
}

// asynq frees the slot of a task that it was asked to cancel, although
// the handler may still run. Here the next job waits until the slot is
// really free.
func TestNextJobWaitsForRealSlot(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	v := newStubborn()
	conf := newConfig(t, o)
	conf.VerifySlots = 1
	startWorker(t, conf, testJobs{verify: v.run})
	mine := tasks.WithTerms(verify, tasks.Terms{Tenant: "acme"})
	h.submit(mine, "first")
	queuetest.Eventually(t, 10*time.Second, "the first job begins", func() bool {
		return v.runs.Load() == 1
	})
	h.submit(mine, "next")
	h.must(h.inspector.CancelProcessing("first"))
	h.waitForTask(tasks.QueueVerify, "first", 10*time.Second, asynq.TaskStateRetry, asynq.TaskStatePending)
	if s := h.taskState(tasks.QueueVerify, "next"); s != asynq.TaskStatePending {
		t.Errorf("the task of the next job is %s", s)
	}
	if n := metric(t, "slots_busy", "pool", "verify", conf.Registry); n != 1 {
		t.Errorf("%v slots are busy", n)
	}
	if s := h.status("next"); s.State != tasks.StateQueued {
		t.Errorf("the next job is %s", s.State)
	}
	close(v.end)
	h.waitForEnd("next", 20*time.Second)
	if v.most.Load() != 1 {
		t.Errorf("%d runs at once", v.most.Load())
	}
	if s := h.status("first"); s.State != tasks.StateCancelled {
		t.Errorf("the first job is %s", s.State)
	}
}

// asynq starts a cancelled task again although its handler still runs.
// Here the second run waits for the first.
func TestNoTaskRunsTwiceInOneProcess(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	v := newStubborn()
	startWorker(t, newConfig(t, o), testJobs{verify: v.run})
	h.submit(verify, "v")
	queuetest.Eventually(t, 10*time.Second, "the job begins", func() bool {
		return v.runs.Load() == 1
	})
	h.must(h.inspector.CancelProcessing("v"))
	queuetest.Eventually(t, 10*time.Second, "asynq has started the task again", func() bool {
		info, err := h.inspector.GetTaskInfo(tasks.QueueVerify, "v")
		return err == nil && info.LastErr == "this task still runs in this process"
	})
	close(v.end)
	h.waitForEnd("v", 20*time.Second)
	if v.most.Load() != 1 {
		t.Errorf("%d runs at once", v.most.Load())
	}
}
