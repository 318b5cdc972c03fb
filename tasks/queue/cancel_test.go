package queue_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

func TestCancelInEveryState(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		for _, s := range []tasks.State{
			tasks.StateQueued, tasks.StatePlanning, tasks.StateRunning, tasks.StateFinishing,
		} {
			id := string(s)
			var l queue.Lease
			if s == tasks.StateQueued {
				create(t, r, id)
			} else {
				l = halfDone(t, r, id)
			}
			if s == tasks.StateRunning || s == tasks.StateFinishing {
				ok(t, l.Advance(t.Context(), tasks.StatePlanning, s))
			}
			if before := cancel(t, r, id).State; before != s {
				t.Errorf("%s: it had the state %q", s, before)
			}
			if s != tasks.StateQueued {
				checkEnded(t, r, id)
				if _, err := l.Heartbeat(t.Context(), queue.ProgressReport{}); !errors.Is(err, queue.ErrFenced) {
					t.Errorf("%s: its coordinator goes on: %v", s, err)
				}
			}
			st := status(t, r, id)
			if st.State != tasks.StateCancelled || st.Finished.IsZero() || !claim(t, r, id).Over {
				t.Errorf("%s: %+v", s, st)
			}
		}

		for _, e := range events(t, r) {
			if e.Type != tasks.EventCancelled || e.State != tasks.StateCancelled || e.ID != e.Job+"/0/end" {
				t.Errorf("%+v", e)
			}
		}
		if n := len(events(t, r)); n != 4 {
			t.Errorf("%d events of 4 jobs", n)
		}
	})
}

// The caller needs the queue and the generation to withdraw the
// task.
func TestCancelReturnsTheTask(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		claim(t, r, "j")
		must[int](t)(r.Reaper().TakeOver(t.Context(), "j", inspect(t, r, "j"), 0))
		want := queue.CancelResult{State: tasks.StatePlanning, Queue: tasks.QueueJobs, Generation: 1}
		same(t, "result", cancel(t, r, "j"), want)
		want.State = tasks.StateCancelled
		same(t, "again", cancel(t, r, "j"), want)
	})
}

func TestCancelOfAnEndedJobChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		succeed(t, halfDone(t, r, "j"))
		halfDone(t, r, "k")
		var before [4]tasks.State
		atOnce(len(before), func(i int) {
			c, _ := r.Cancel(t.Context(), "k", time.Hour)
			before[i] = c.State
		})
		slices.Sort(before[:])
		same(t, "four callers at once", before, [4]tasks.State{"cancelled", "cancelled", "cancelled", "planning"})

		all := state(t, r)
		for id, want := range map[string]tasks.State{"j": tasks.StateSucceeded, "k": tasks.StateCancelled} {
			if c := must[queue.CancelResult](t)(r.Cancel(t.Context(), id, 2*time.Hour)); c.State != want {
				t.Errorf("%s had the state %q", id, c.State)
			}
		}
		if d := difference(all, state(t, r)); d != "" {
			t.Errorf("changed:%s", d)
		}
		checkEnded(t, r, "j")
	})
}
