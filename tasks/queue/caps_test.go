package queue_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/caps"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// reserve asks for a share of the cap "tenant".
func (r testStore) reserve(t *testing.T, job string, have, want, limit int) int {
	t.Helper()
	return must[int](t)(r.Caps().Reserve(t.Context(),
		caps.Cap{Name: "tenant", Limit: limit}, caps.Request{Job: job, Have: have, Want: want}))
}

// expire lets the time of a job's reservation run out.
func (r testStore) expire(t *testing.T, job string) {
	t.Helper()
	reservation := fmt.Sprint("5 5 ", time.Now().Add(-time.Second).UnixMilli())
	ok(t, r.client.HSet(t.Context(), schema.Key(schema.Cap, "tenant"), job, reservation).Err())
}

// Jobs come, ask, finish shards, vanish and give back, in any
// order. There is never more under way than the cap.
func TestReservationsNeverExceedTheCap(t *testing.T) {
	const limit, jobs = 10, 6
	onEach(t, func(t *testing.T, r testStore) {
		for seed := range uint64(8) {
			rng := rand.New(rand.NewPCG(seed, 1))
			granted := map[string]int{}
			for range 100 {
				job := fmt.Sprint("j", rng.IntN(jobs))
				switch rng.IntN(10) {
				case 0:
					r.expire(t, job)
					delete(granted, job)
				case 1:
					ok(t, r.Caps().Release(t.Context(), "tenant", job))
					delete(granted, job)
				default:
					have := rng.IntN(granted[job] + 1) // some of its shards have ended
					granted[job] = r.reserve(t, job, have, have+rng.IntN(15), limit)
				}
				sum := 0
				for _, n := range granted {
					sum += n
				}
				if sum > limit {
					t.Fatalf("seed %d: %v are granted of %d", seed, granted, limit)
				}
			}
			ok(t, r.client.Del(t.Context(), schema.Key(schema.Cap, "tenant")).Err())
		}
	})
}

func TestReservationsBecomeFair(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		want, fair []int // the first job has come first, and has all that it wants
	}{
		"alone":                     {[]int{8}, []int{8}},
		"enough for all":            {[]int{4, 3}, []int{4, 3}},
		"two want all":              {[]int{10, 10}, []int{5, 5}},
		"three want all":            {[]int{10, 10, 10}, []int{4, 3, 3}},
		"one wants less than fair":  {[]int{10, 2, 10}, []int{4, 2, 4}},
		"one wants nothing":         {[]int{10, 0}, []int{10, 0}},
		"more jobs than the cap is": {[]int{3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3}, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachOf(t, func(t *testing.T, r testStore) {
				have := make([]int, len(c.want))
				for range 30 {
					for i, want := range c.want {
						share := r.reserve(t, fmt.Sprint("j", string(rune('a'+i))), have[i], want, 10)
						if have[i] = max(have[i], share); share == have[i] && share > c.fair[i] {
							have[i]-- // a shard ends
						}
					}
				}
				same(t, "shares", have, c.fair)
			})
		})
	}
}

func TestReservationsEnd(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		if n := r.reserve(t, "a", 0, 10, 10); n != 10 {
			t.Errorf("alone: %d", n)
		}
		if n := r.reserve(t, "b", 0, 10, 10); n != 0 {
			t.Errorf("another job has all: %d", n)
		}
		if n := r.reserve(t, "a", 9, 10, 10); n != 9 {
			t.Errorf("more than its share, while another job waits: %d", n)
		}
		r.expire(t, "a")
		if n := r.reserve(t, "b", 0, 10, 10); n != 10 {
			t.Errorf("after the reservation of a ended: %d", n)
		}
		ok(t, r.Caps().Release(t.Context(), "tenant", "b"))
		if n := r.reserve(t, "c", 0, 10, 10); n != 10 {
			t.Errorf("after b gave back: %d", n)
		}
		if r.client.TTL(t.Context(), schema.Key(schema.Cap, "tenant")).Val() <= 0 {
			t.Error("a cap never expires")
		}
	})
}
