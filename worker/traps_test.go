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
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// asynq frees the slot of a task that it was asked to cancel, although its
// handler may not listen. In this engine the next job waits for the slot that
// is really free.
func TestSlotsAreReal(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	l := newHarness(t, o)
	var now, most, runs atomic.Int32
	leave := make(chan struct{})
	conf := config(t, o)
	conf.VerifySlots = 1
	start(t, conf, jobs{verify: func(context.Context, tasks.VerifyConnection, job.Env) (tasks.Result, error) {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		runs.Add(1)
		<-leave // deaf to its context
		return tasks.VerifyConnectionResult{OK: true}, nil
	}})
	l.put(verify, "deaf")
	queuetest.Eventually(t, 10*time.Second, "the first begins", func() bool { return runs.Load() == 1 })
	l.put(verify, "next")
	l.must(l.inspector.CancelProcessing("deaf"))
	l.taskIs(tasks.QueueVerify, "next", 10*time.Second, asynq.TaskStateActive) // asynq believes that it runs
	if n := count(t, "slots_busy", "pool", "verify", conf.Registry); n != 1 {
		t.Errorf("%v slots are busy", n)
	}
	if s := l.status("next"); s.State != tasks.StateQueued {
		t.Errorf("the next one is %s", s.State)
	}
	close(leave)
	l.ended("next", 20*time.Second)
	if most.Load() != 1 {
		t.Errorf("%d at once", most.Load())
	}
	if s := l.status("deaf"); s.State != tasks.StateCancelled {
		t.Errorf("the deaf one is %s", s.State)
	}
}

// An archived task keeps its ID for months, and its shard's job is over.
func TestFailedShardLeavesNoTask(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	l := newHarness(t, o)
	start(t, config(t, o), jobs{manifest: &counting{shards: 30, work: func(_ context.Context, _ job.Env, s job.Shard) error {
		if s.Through != "5" {
			return nil
		}
		return &providers.Error{Op: "get", Key: "x", Kind: providers.Denied}
	}}})
	l.put(manifest, "m")
	l.ended("m", 20*time.Second)
	queuetest.Eventually(t, 10*time.Second, "the queue is empty", func() bool {
		q, err := l.inspector.GetQueueInfo(tasks.QueueShards)
		return err == nil && q.Size == 0
	})
}
