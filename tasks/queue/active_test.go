package queue_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// age makes it long that anybody looked after a job.
func age(t *testing.T, r room, id string) {
	t.Helper()
	ok(t, r.client.ZIncrBy(t.Context(), "stevedore:active", -60_000, id).Err())
}

func TestDueGivesEachJobToOne(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		const jobs, workers = 40, 6
		var want []string
		for i := range jobs {
			id := fmt.Sprintf("j%02d", i)
			must[queue.Existing](t)(r.Create(t.Context(), id, kind, nil))
			want = append(want, id)
		}
		if ids := must[[]string](t)(r.Due(t.Context(), 30*time.Second, 100)); len(ids) != 0 {
			t.Errorf("due although they were just enqueued: %v", ids)
		}
		for _, id := range want {
			age(t, r, id)
		}
		if some := must[[]string](t)(r.Due(t.Context(), 30*time.Second, 3)); len(some) != 3 {
			t.Errorf("three at most: %v", some)
		}
		for _, id := range want {
			age(t, r, id)
		}
		var got [workers][]string
		atOnce(workers, func(i int) {
			for range 20 {
				ids, err := r.Due(t.Context(), 30*time.Second, 5)
				if err != nil {
					t.Error(err)
				}
				got[i] = append(got[i], ids...)
			}
		})
		all := slices.Concat(got[:]...)
		slices.Sort(all)
		if !slices.Equal(all, want) {
			t.Errorf("given out: %v", all)
		}
		ok(t, r.Untrack(t.Context(), "j00"))
		age(t, r, "j01")
		same(t, "due", must[[]string](t)(r.Due(t.Context(), 30*time.Second, 9)), []string{"j01"})
	})
}

func pulse(t *testing.T, r room, id string) queue.Pulse {
	t.Helper()
	return must[queue.Pulse](t)(r.Pulse(t.Context(), id))
}

func TestPulse(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		must[queue.Existing](t)(r.Create(t.Context(), "j", kind, []byte("{}")))
		p := pulse(t, r, "j")
		if p.Kind != kind || string(p.Payload) != "{}" || p.State != tasks.StateQueued || p.Unsent || p.Created.IsZero() || p.Silent < 0 || p.Silent > 10*time.Second {
			t.Errorf("queued: %+v", p)
		}
		c := begin(t, r, "j")
		ok(t, r.Rest(t.Context(), c, time.Minute))
		if p := pulse(t, r, "j"); p.Silent > -50*time.Second {
			t.Errorf("at rest: %+v", p)
		}
		look(t, r, c)
		if p := pulse(t, r, "j"); p.Silent < 0 || p.Silent > 10*time.Second {
			t.Errorf("back: %+v", p)
		}
	})
}

func TestTakeOverCountsCrashesWithoutAchievement(t *testing.T) {
	achieve := map[string]func(*testing.T, room, queue.Claim){
		"plan":   func(t *testing.T, r room, c queue.Claim) { ok(t, r.Plan(t.Context(), c, shard(1))) },
		"commit": func(t *testing.T, r room, c queue.Claim) { commit(t, r, ref(c.ID, 0), whole("x", 0)) },
	}
	onEach(t, func(t *testing.T, r room) {
		for id, something := range achieve {
			planned(t, r, id, 1)
			var c queue.Claim
			for i, want := range []int{1, 2, 3, 1, 2} {
				if i == 3 {
					something(t, r, c)
				}
				if n := must[int](t)(r.TakeOver(t.Context(), id, pulse(t, r, id))); n != want {
					t.Errorf("%s: crash %d is counted as %d", id, want, n)
				}
				var err error
				c, err = r.Begin(t.Context(), queue.JobRef{Job: id, Generation: i + 1}, kind, nil, tasks.StatePlanning)
				if err != nil || c.Over || pulse(t, r, id).Generation != i+1 {
					t.Errorf("%s: the next generation: %+v, %v", id, c, err)
				}
			}
		}
	})
}

func TestTakeOverLeavesTheLiving(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := planned(t, r, "j", 1)
		old := pulse(t, r, "j")
		ok(t, r.Rest(t.Context(), c, time.Second))
		ended := planned(t, r, "ended", 1)
		last := pulse(t, r, "ended")
		succeed(t, r, ended)
		for id, p := range map[string]queue.Pulse{"j": old, "ended": last, "nobody": {}} {
			if n, err := r.TakeOver(t.Context(), id, p); !errors.Is(err, queue.ErrAlive) {
				t.Errorf("%s: %d, %v", id, n, err)
			}
		}
		look(t, r, c)
	})
}

func TestOnlyOneTakesOver(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		must[queue.Existing](t)(r.Create(t.Context(), "j", kind, nil)) // its task was lost before any worker had it
		for round := range 5 {
			p := pulse(t, r, "j")
			var won [6]error
			atOnce(len(won), func(i int) { _, won[i] = r.TakeOver(t.Context(), "j", p) })
			winners := 0
			for _, err := range won {
				if err == nil {
					winners++
				} else if !errors.Is(err, queue.ErrAlive) {
					t.Error(err)
				}
			}
			if g := pulse(t, r, "j").Generation; winners != 1 || g != round+1 {
				t.Errorf("%d workers took the job over; generation %d", winners, g)
			}
		}
	})
}
