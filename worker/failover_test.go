package worker_test

import (
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// maxStandstill is how long after a failover a job may stand still.
const maxStandstill = 5 * time.Second

// chaosRedis is a Redis that a chaos test lets fail.
type chaosRedis interface {
	Options() redisconn.Options
	// fail returns when Redis works again.
	fail(*testing.T, *chaos)
}

// restarted is killed and started again.
type restarted struct{ *queuetest.Redis }

func (r restarted) fail(t *testing.T, c *chaos) {
	t.Helper()
	r.Kill()
	down := time.Second + time.Duration(c.random.Int64N(int64(time.Second)))
	_ = elapse(t.Context(), down)
	r.Up()
}

// failedOver loses the master of a key. The dead one becomes a replica,
// which takes a while.
type failedOver struct{ *queuetest.Replicated }

func (r failedOver) fail(t *testing.T, c *chaos) {
	t.Helper()
	keys := []string{
		"stevedore:{chaos}:job", "asynq:{shards}:pending", "asynq:{jobs}:pending",
		"stevedore:active", "stevedore:events",
	}
	key := keys[c.restarts%len(keys)]
	r.AwaitReplicas()
	dead := r.Failover(key)
	t.Logf("the master of %s was killed: standstill of %v after the failover",
		key, c.standstill(t).Round(10*time.Millisecond))
	dead.Up()
}

// standstill returns how long it takes until the progress of the job
// changes twice: the first change may be older than the failover.
func (c *chaos) standstill(t *testing.T) time.Duration {
	t.Helper()
	promoted := time.Now()
	changes, last := 0, int64(-1)
	queuetest.Eventually(t, time.Minute, "the job makes progress", func() bool {
		s, err := c.client.Status(t.Context(), "chaos")
		if err == nil && s.Progress.Objects != last {
			changes, last = changes+1, s.Progress.Objects
		}
		return changes > 2 || err == nil && s.State.Final()
	})
	took := time.Since(promoted)
	if took > maxStandstill*leeway { // other tests use the processors too
		t.Errorf("a standstill of %v after the failover", took)
	}
	return took
}
