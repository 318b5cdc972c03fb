package queue_test

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// What a worker had done when it died is done again; meanwhile nobody sees
// the job go back.
func TestProgressNeverGoesBack(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := planned(t, r, "j", 2)
		show := func(objects, bytes, failed int64) {
			t.Helper()
			must[queue.View](t)(r.Look(t.Context(), c, queue.Shown{Objects: objects, Bytes: bytes, Failed: failed, Total: -1, Rate: 2.5, ETASeconds: 4}))
		}
		expect := func(when string, objects, bytes, failed int64) {
			t.Helper()
			if p := status(t, r, "j").Progress; p.Objects != objects || p.Bytes != bytes || p.Failed != failed || p.ObjectsTotal != 20 {
				t.Errorf("%s: %+v", when, p)
			}
		}
		show(7, 70, 1)
		expect("under way", 7, 70, 1)
		if p := status(t, r, "j").Progress; p.Rate != 2.5 || p.ETASeconds != 4 {
			t.Errorf("%+v", p)
		}
		show(3, 90, 0)
		expect("a worker has died", 7, 90, 1)
		commit(t, r, ref("j", 0), whole("", 2))
		expect("committed is more", 10, 100, 2)
		show(25, 110, 2)
		expect("seen under way and committed at once", 20, 110, 2)
		c = begin(t, r, "j")
		show(1, 1, 1)
		expect("another coordinator", 20, 110, 2)
	})
}

func TestTotalIsShownWhenPlanningDoesNotCount(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := must[queue.Claim](t)(r.Begin(t.Context(), queue.JobRef{Job: "j"}, "export-annotations", nil, tasks.StateRunning))
		v := must[queue.View](t)(r.Look(t.Context(), c, queue.Shown{Objects: 5, Total: 50}))
		if p := status(t, r, "j").Progress; p.Objects != 5 || p.ObjectsTotal != 50 || v.State != tasks.StateRunning {
			t.Errorf("%+v, %+v", p, v)
		}
	})
}
