package queue_test

import (
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

// mixedLines is an error list with one object that is left out and two
// with warnings.
func mixedLines() []tasks.ObjectError {
	list := lines(3)
	list[0].Warning, list[2].Warning = true, true
	return list
}

// Readers see how many of the listed objects have warnings only: while
// the shards run, when they are committed, after the end, and after a
// retry that failed.
func TestWarningsOfAShardedJob(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := planned(t, r, "j", 1)
		start(t, r, ref("j", 0))
		live := tasks.Progress{Objects: 5, Bytes: 50, Failed: 3, Warnings: 1}
		must[bool](t)(r.HeartbeatShards(t.Context(), "j", 0, map[int]tasks.Progress{0: live}))
		same(t, "uncommitted", heartbeat(t, l).Shards[0].Live, live)
		must[queue.Snapshot](t)(l.Heartbeat(t.Context(), queue.ProgressReport{
			Objects: 5, Failed: 3, Warnings: 1, Total: -1,
		}))
		wantWarnings(t, r, "while it runs", 3, 1)

		commit(t, r, ref("j", 0), queue.Checkpoint{
			To: "k", Last: true, Objects: 10, Errors: mixedLines(),
		})
		if s := heartbeat(t, l); s.Committed.Warnings != 2 || s.Shown.Warnings != 2 {
			t.Errorf("committed %+v, shown %+v", s.Committed, s.Shown)
		}
		succeed(t, l)
		wantWarnings(t, r, "at the end", 3, 2)
		same(t, "error list", collect(t, r.Errors(t.Context(), "j")), mixedLines())

		retry(t, r, "j", 1)
		wantWarnings(t, r, "queued again", 0, 0)
		fail(t, claimAs(t, r, asynqtask.JobRef{Job: "j", Generation: 1}))
		wantWarnings(t, r, "after a retry that failed", 3, 2)
		retry(t, r, "j", 2)
		cancel(t, r, "j")
		wantWarnings(t, r, "after a second one that was cancelled", 3, 2)
	})
}

func TestWarningsOfASingleJob(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := claimSingle(t, r, "j")
		ok(t, l.Publish(t.Context(), queue.End{
			Result: []byte("{}"), Keep: time.Hour, Errors: mixedLines(),
			Counts: &tasks.Progress{Objects: 9, Failed: 3, Warnings: 2},
		}))
		wantWarnings(t, r, "at the end", 3, 2)
	})
}

func wantWarnings(t *testing.T, r testStore, when string, failed, warnings int64) {
	t.Helper()
	p := status(t, r, "j").Progress
	if p.Failed != failed || p.Warnings != warnings || p.LeftOut() != failed-warnings {
		t.Errorf("%s: %+v, %d left out", when, p, p.LeftOut())
	}
}
