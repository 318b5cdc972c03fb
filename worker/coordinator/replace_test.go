package coordinator

import (
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

// A shard that makes no progress gets a second run, much later a third,
// and never many within the half hour that a run may take.
func TestStuckShardsDoNotMultiply(t *testing.T) {
	t.Parallel()
	var at time.Duration
	runs := 1
	for at += stuckLimit(0); at < asynqtask.ShardTimeout; at += stuckLimit(runs) {
		runs++
		if runs == 2 && at != stuckAfter {
			t.Errorf("the second run begins after %v", at)
		}
	}
	if runs < 3 || runs > 5 {
		t.Errorf("%d runs at once", runs)
	}
	if stuckLimit(1_000) <= 0 {
		t.Error("the time overflows")
	}
}
