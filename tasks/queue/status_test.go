package queue_test

import (
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// When a worker dies, its uncommitted work is done again.
// Meanwhile no reader sees a count fall.
func TestProgressNeverFalls(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := planned(t, r, "j", 2)
		report := func(objects, bytes, failed int64) tasks.Progress {
			t.Helper()
			s := must[queue.Snapshot](t)(l.Heartbeat(t.Context(), queue.ProgressReport{
				Objects: objects, Bytes: bytes, Failed: failed, Total: -1, Rate: 2.5, ETASeconds: 4,
			}))
			return s.Shown
		}
		expect := func(when string, p tasks.Progress, objects, bytes, failed int64) {
			t.Helper()
			if p.Objects != objects || p.Bytes != bytes || p.Failed != failed || p.ObjectsTotal != 20 {
				t.Errorf("%s: %+v", when, p)
			}
		}
		shown := func() tasks.Progress { t.Helper(); return status(t, r, "j").Progress }

		same(t, "the answer of the heartbeat", report(7, 70, 1), shown())
		expect("under way", shown(), 7, 70, 1)
		if p := shown(); p.Rate != 2.5 || p.ETASeconds != 4 {
			t.Errorf("%+v", p)
		}
		expect("a worker has died", report(3, 90, 0), 7, 90, 1)
		commit(t, r, ref("j", 0), whole("", 2))
		expect("a commit before the next heartbeat", shown(), 10, 100, 2)
		expect("a report from before the commit", report(8, 95, 1), 10, 100, 2)
		expect("reported as under way and as committed", report(25, 110, 2), 20, 110, 2)
		l = claim(t, r, "j")
		expect("another coordinator", report(1, 1, 1), 20, 110, 2)
		expect("another coordinator", shown(), 20, 110, 2)
	})
}

// After success only what is committed counts. A retry begins
// from zero.
func TestProgressAtTheEnd(t *testing.T) {
	ends := map[string]struct {
		end  func(*testing.T, testStore, queue.Lease)
		want tasks.Progress
	}{
		"succeeded": {func(t *testing.T, _ testStore, l queue.Lease) { succeed(t, l) },
			tasks.Progress{Objects: 10, Bytes: 100, Failed: 1}},
		"failed": {func(t *testing.T, _ testStore, l queue.Lease) { fail(t, l) },
			tasks.Progress{Objects: 15, Bytes: 150, Failed: 3}},
		"cancelled": {func(t *testing.T, r testStore, l queue.Lease) { cancel(t, r, l.ID) },
			tasks.Progress{Objects: 15, Bytes: 150, Failed: 3}},
	}
	onEach(t, func(t *testing.T, r testStore) {
		for id, e := range ends {
			l := planned(t, r, id, 2)
			commit(t, r, ref(id, 0), whole("", 1))
			must[queue.Snapshot](t)(l.Heartbeat(t.Context(), queue.ProgressReport{
				Objects: 15, Bytes: 150, Failed: 3, Total: -1,
			}))
			e.end(t, r, l)
			p := status(t, r, id).Progress
			if p.Objects != e.want.Objects || p.Bytes != e.want.Bytes || p.Failed != e.want.Failed {
				t.Errorf("%s: %+v", id, p)
			}
		}
		retry(t, r, "succeeded", 1)
		same(t, "a queued retry", status(t, r, "succeeded").Progress, tasks.Progress{})
	})
}

// The counts of a single job that fails are shown, too.
func TestCountsOfASingleJobThatFails(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := claimSingle(t, r, "j")
		must[queue.Snapshot](t)(l.Heartbeat(t.Context(), queue.ProgressReport{Objects: 5, Total: 50}))
		ok(t, l.Publish(t.Context(), queue.End{
			Failure: &tasks.Failure{Kind: "denied"}, Counts: &tasks.Progress{Objects: 7, ObjectsTotal: 50}, Keep: time.Hour,
		}))
		if p := status(t, r, "j").Progress; p.Objects != 7 || p.ObjectsTotal != 50 {
			t.Errorf("%+v", p)
		}
	})
}

func TestTotalOfASingleJob(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := claimSingle(t, r, "j")
		s := must[queue.Snapshot](t)(l.Heartbeat(t.Context(), queue.ProgressReport{Objects: 5, Total: 50}))
		p := status(t, r, "j").Progress
		if p.Objects != 5 || p.ObjectsTotal != 50 || s.State != tasks.StateRunning || s.Shown.ObjectsTotal != 50 {
			t.Errorf("%+v, %+v", p, s)
		}
	})
}
