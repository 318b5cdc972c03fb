package queue_test

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

// A cancelled job begins again as if it was new, while a worker still
// runs a shard of the round before. That run can write nothing: the
// shard may hold other objects by now.
func TestRunOfAnEarlierRound(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		planned(t, r, "j", 2)
		commit(t, r, ref("j", 1), whole("old", 2))
		old := start(t, r, ref("j", 0))
		cancel(t, r, "j")
		task := must[queue.RetryTask](t)(r.BeginRetry(t.Context(), "j", 1))
		s := status(t, r, "j")
		if task.State != tasks.StateQueued || s.Round != 1 || s.Progress.Objects != 0 || s.Progress.Failed != 0 || !s.Finished.IsZero() {
			t.Errorf("%+v, %+v", task, s)
		}
		l := claimAs(t, r, asynqtask.JobRef{Job: "j", Generation: 1})
		if l.Cursor != "" || l.Shards != 0 || l.PreviousResult != nil {
			t.Errorf("it does not begin as if it was new: %+v", l)
		}
		for i := range 2 {
			ok(t, l.Plan(t.Context(), shard(i)))
		}
		ok(t, l.Advance(t.Context(), tasks.StatePlanning, tasks.StateRunning))

		if must[bool](t)(old.Commit(t.Context(), whole("old", 1))) {
			t.Error("the old run has committed")
		}
		ok(t, old.MarkSuspect(t.Context(), "k"))
		ok(t, old.Fail(t.Context(), tasks.Failure{Kind: "denied"}))
		if must[bool](t)(r.HeartbeatShards(t.Context(), "j", 0, map[int]tasks.Progress{0: {Objects: 5}})) {
			t.Error("the job wants the old run")
		}
		snapshot := heartbeat(t, l)
		if snapshot.ShardFailure != nil || snapshot.Shown.Objects != 0 || len(snapshot.Shards) != 0 {
			t.Errorf("the old run has written: %+v", snapshot)
		}

		again := start(t, r, ref("j", 0))
		if !again.Wanted || again.Round != 1 || again.Suspect != "" || !must[bool](t)(again.Commit(t.Context(), whole("new", 0))) {
			t.Errorf("the new run cannot write: %+v", again)
		}
	})
}
