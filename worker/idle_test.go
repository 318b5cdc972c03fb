package worker_test

import (
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// maxIdleRate is how many commands a second an idle worker may send to
// Redis, also with metrics.
const maxIdleRate = 100

// An idle worker sends few commands to Redis, also after an outage.
func TestIdleWorkerSendsFewCommands(t *testing.T) {
	t.Parallel()
	slow(t)
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		r := queuetest.Start(t)
		startWorker(t, newConfig(t, r.Options()), testJobs{})
		checkIdle(t, r.Options())
		r.Down()
		r.Up()
		checkIdle(t, r.Options())
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		o := queuetest.StartCluster(t).Options()
		startWorker(t, newConfig(t, o), testJobs{})
		checkIdle(t, o)
	})
}

// checkIdle checks how many commands a second Redis runs for one idle
// worker. Before that it waits until a job has run, and runs one on
// each queue that jobs may be on, so that all queues are in use.
func checkIdle(t *testing.T, o redisconn.Options) {
	t.Helper()
	useAllQueues(t, o)
	c := newClient(t, o)
	id, err := c.Enqueue(t.Context(), verify)
	if err != nil {
		t.Fatal(err)
	}
	waitForJob(t, c, id, 60*time.Second)
	const seconds = 6
	before := commands(t, o)
	_ = elapse(t.Context(), seconds*time.Second)
	total := 0
	after := commands(t, o)
	for name := range after {
		total += after[name] - before[name]
	}
	if total > seconds*maxIdleRate {
		t.Errorf("%d commands a second: %v, then %v", total/seconds, before, after)
	}
}
