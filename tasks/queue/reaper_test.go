package queue_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// age makes the last look of a reaper at a job a minute older.
func age(t *testing.T, r testStore, id string) {
	t.Helper()
	ok(t, r.client.ZIncrBy(t.Context(), schema.ActiveKey, -60_000, id).Err())
}

func TestUnattendedGivesEachJobToOneReaper(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		const jobs, reapers = 40, 6
		var want []string
		for i := range jobs {
			id := fmt.Sprintf("j%02d", i)
			create(t, r, id)
			want = append(want, id)
		}
		unattended := func(limit int64) []string {
			t.Helper()
			return must[[]string](t)(r.Reaper().Unattended(t.Context(), limit))
		}
		if ids := unattended(100); len(ids) != 0 {
			t.Errorf("unattended although they were just enqueued: %v", ids)
		}
		for _, id := range want {
			age(t, r, id)
		}
		if some := unattended(3); len(some) != 3 {
			t.Errorf("the limit is three: %v", some)
		}

		for _, id := range want {
			age(t, r, id)
		}
		var got [reapers][]string
		atOnce(reapers, func(i int) {
			for range 20 {
				ids, err := r.Reaper().Unattended(t.Context(), 5)
				if err != nil {
					t.Error(err)
				}
				got[i] = append(got[i], ids...)
			}
		})
		all := slices.Concat(got[:]...)
		slices.Sort(all)
		if !slices.Equal(all, want) {
			t.Errorf("the reapers got %v", all)
		}

		ok(t, r.Reaper().Untrack(t.Context(), "j00"))
		age(t, r, "j01")
		same(t, "unattended", unattended(9), []string{"j01"})
	})
}

func TestInspect(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		must[queue.CreateResult](t)(r.Create(t.Context(), queue.NewJob{
			ID: "j", Kind: kind, Payload: []byte("{}"), Queue: "jobs-high",
		}))
		h := inspect(t, r, "j")
		payload := must[[]byte](t)(r.Reaper().Payload(t.Context(), "j"))
		if _, err := r.Reaper().Payload(t.Context(), "unknown"); !errors.Is(err, queue.ErrNoJob) {
			t.Errorf("a payload without a job: %v", err)
		}
		if h.Kind != kind || string(payload) != "{}" || h.State != tasks.StateQueued || h.Created.IsZero() {
			t.Errorf("queued: %+v", h)
		}
		if h.Queue != "jobs-high" || h.Silent < 0 || h.Silent > 10*time.Second {
			t.Errorf("queued: %+v", h)
		}

		l := claim(t, r, "j")
		ok(t, l.Suspend(t.Context(), time.Minute))
		if h := inspect(t, r, "j"); h.Silent > -50*time.Second || h.Queue != tasks.QueueJobs {
			t.Errorf("suspended: %+v", h)
		}
		heartbeat(t, l)
		if h := inspect(t, r, "j"); h.Silent < 0 || h.Silent > 10*time.Second {
			t.Errorf("after a heartbeat: %+v", h)
		}
	})
}

// Crashes count from 1 on again when something was planned or
// committed.
func TestTakeOverCountsCrashesWithoutProgress(t *testing.T) {
	progress := map[string]func(*testing.T, testStore, queue.Lease){
		"plan": func(t *testing.T, _ testStore, l queue.Lease) {
			ok(t, l.Plan(t.Context(), shard(1)))
		},
		"commit": func(t *testing.T, r testStore, l queue.Lease) {
			commit(t, r, ref(l.ID, 0), whole("x", 0))
		},
	}
	onEach(t, func(t *testing.T, r testStore) {
		for id, achieve := range progress {
			planned(t, r, id, 1)
			var l queue.Lease
			for i, want := range []int{1, 2, 3, 1, 2} {
				if i == 3 {
					achieve(t, r, l)
				}
				if n := must[int](t)(r.Reaper().TakeOver(t.Context(), id, inspect(t, r, id), 0)); n != want {
					t.Errorf("%s: crash %d is counted as %d", id, want, n)
				}
				l = claimAs(t, r, asynqtask.JobRef{Job: id, Generation: i + 1})
				if l.Over || inspect(t, r, id).Generation != i+1 {
					t.Errorf("%s: the next generation: %+v", id, l)
				}
			}
		}
	})
}

// The deaths of a lease are those in the job's present state.
func TestDeathsCountInOneState(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		create(t, r, "j")
		l := claim(t, r, "j")
		for i := range 2 {
			must[int](t)(r.Reaper().TakeOver(t.Context(), "j", inspect(t, r, "j"), 3))
			if l = claimAs(t, r, asynqtask.JobRef{Job: "j", Generation: i + 1}); l.Deaths != i+1 {
				t.Errorf("%d deaths after %d", l.Deaths, i+1)
			}
		}
		ok(t, l.Advance(t.Context(), tasks.StatePlanning, tasks.StateRunning))
		if l = claimAs(t, r, asynqtask.JobRef{Job: "j", Generation: 2}); l.Deaths != 0 {
			t.Errorf("%d deaths in the next state", l.Deaths)
		}
	})
}

func TestTakeOverNeedsASilentCoordinator(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := planned(t, r, "j", 1)
		old := inspect(t, r, "j")
		ok(t, l.Suspend(t.Context(), time.Second))
		ended := planned(t, r, "ended", 1)
		last := inspect(t, r, "ended")
		succeed(t, ended)
		for id, seen := range map[string]queue.JobHealth{"j": old, "ended": last, "unknown": {}} {
			if n, err := r.Reaper().TakeOver(t.Context(), id, seen, 0); !errors.Is(err, queue.ErrAlive) {
				t.Errorf("%s: %d, %v", id, n, err)
			}
		}
		heartbeat(t, l)
	})
}

func TestOnlyOneReaperTakesOver(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		create(t, r, "j") // its task was lost before any worker had it
		for round := range 5 {
			seen := inspect(t, r, "j")
			var won [6]error
			atOnce(len(won), func(i int) { _, won[i] = r.Reaper().TakeOver(t.Context(), "j", seen, 0) })
			winners := 0
			for _, err := range won {
				if err == nil {
					winners++
				} else if !errors.Is(err, queue.ErrAlive) {
					t.Error(err)
				}
			}
			if g := inspect(t, r, "j").Generation; winners != 1 || g != round+1 {
				t.Errorf("%d reapers took the job over; generation %d", winners, g)
			}
		}
	})
}
