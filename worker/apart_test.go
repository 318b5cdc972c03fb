package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Two workers died at each of two jobs. In one process the jobs run one
// after the other, and the record of the one that runs says so. The
// other waits without a slot, and uses up no attempt.
func TestJobsAtWhichWorkersDiedRunApart(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	for _, id := range []string{"one", "two"} {
		h.claim(verify, id, tasks.StateRunning)
		h.recordDeaths(id, 2)
		h.makeSilent(id)
	}
	work := newBlocker()
	var atOnce, most atomic.Int32
	run := func(ctx context.Context, _ tasks.VerifyConnection, env job.Env) (tasks.Result, error) {
		most.Store(max(most.Load(), atOnce.Add(1)))
		defer atOnce.Add(-1)
		if h.recordField(env.ID, "careful") != h.recordField(env.ID, "epoch") {
			t.Errorf("%s runs, and its record does not say so", env.ID)
		}
		return tasks.VerifyConnectionResult{OK: true}, work.block(ctx)
	}
	c := newConfig(t, o)
	startWorker(t, c, testJobs{verify: run})
	work.waitBlocked(t, 1)
	queuetest.Eventually(t, 20*time.Second, "the other job waits", func() bool {
		return metric(t, "attempts_total", "outcome", "snooze", c.Registry) > 0
	})
	work.release()
	for _, id := range []string{"one", "two"} {
		if s := h.waitForEnd(id, 30*time.Second); s.State != tasks.StateSucceeded {
			t.Errorf("%s: %+v, %+v", id, s, s.Failure)
		}
	}
	if most.Load() != 1 {
		t.Errorf("%d ran at once", most.Load())
	}
}
