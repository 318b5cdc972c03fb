package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Two workers share the shards of a job. Each shard counts once, and
// the error list is complete.
func TestShardedJob(t *testing.T) {
	t.Parallel()
	onEveryRedis(t, func(t *testing.T, o redisconn.Options) {
		m := &countingJob{shards: 20}
		startWorker(t, newConfig(t, o), testJobs{manifest: m})
		startWorker(t, newConfig(t, o), testJobs{manifest: m})
		c := newClient(t, o)
		for _, id := range []string{"first", "second"} {
			enqueue(t, c, manifest, id)
			checkResult(t, waitForJob(t, c, id, 20*time.Second), 20)
		}
		errs := errorList(t, c, "first")
		want := tasks.ObjectError{Key: "3.jpg", Code: "corrupt-image", Message: "no picture"}
		if len(errs) != 20 || errs[3] != want {
			t.Errorf("error list: %v", errs)
		}
	})
}

func TestShardedJobWithoutShards(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	startWorker(t, newConfig(t, o), testJobs{})
	c := newClient(t, o)
	enqueue(t, c, manifest, "empty")
	checkResult(t, waitForJob(t, c, "empty", 10*time.Second), 0)
}

// A shard that failed leaves no archived task: asynq would keep its ID
// for months, although the job is over.
func TestFailedShardLeavesNoTask(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	h := newHarness(t, o)
	m := &countingJob{shards: 30, work: func(_ context.Context, _ job.Env, s job.Shard) error {
		if s.Through != "5" {
			return nil
		}
		return &providers.Error{Op: "get", Key: "x", Kind: providers.Denied}
	}}
	startWorker(t, newConfig(t, o), testJobs{manifest: m})
	h.submit(manifest, "m")
	h.waitForEnd("m", 20*time.Second)
	h.waitForEmptyQueue(tasks.QueueShards)
}
