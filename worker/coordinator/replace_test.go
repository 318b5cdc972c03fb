package coordinator

import (
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
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

// A shard that was handed over waits for its next run, perhaps for
// minutes. Then the time in which a run must make progress begins anew.
func TestWaitingShardIsNotStuck(t *testing.T) {
	t.Parallel()
	handedOver := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	state := queue.ShardState{LastHeartbeat: handedOver}
	e := &enqueuedShard{objects: 500}
	now := handedOver
	for range 600 {
		now = now.Add(time.Second)
		e.observe(state, now)
	}
	state.LastHeartbeat = now // the next run begins, and has done nothing yet
	e.observe(state, now)
	if waited := now.Sub(e.moved); waited > blindAfter {
		t.Errorf("no progress for %v when the run begins", waited)
	}
	for range 100 {
		now = now.Add(time.Second)
		state.LastHeartbeat = now
		e.observe(state, now)
	}
	if waited := now.Sub(e.moved); waited < 90*time.Second {
		t.Errorf("a run without progress counts as moved %v ago", waited)
	}
}
