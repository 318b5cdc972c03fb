package queue_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/caps"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// acquire asks for a place of the cap "tenant".
func (r testStore) acquire(t *testing.T, task string, limit int) bool {
	t.Helper()
	all := []caps.Cap{{Name: "tenant", Limit: limit}}
	return must[string](t)(r.Caps().Acquire(t.Context(), all, task)) == ""
}

func (r testStore) release(t *testing.T, task string) {
	t.Helper()
	r.Caps().Release(t.Context(), []caps.Cap{{Name: "tenant"}}, task)
}

// expire lets the lease of a task run out.
func (r testStore) expire(t *testing.T, task string) {
	t.Helper()
	at := float64(time.Now().Add(-time.Second).UnixMilli())
	ok(t, r.client.ZAddXX(t.Context(), schema.Key(schema.Cap, "tenant"), redis.Z{Score: at, Member: task}).Err())
}

// Tasks begin, end, are renewed and vanish in any order. There are never
// more under way than the cap, and there is a place whenever there are
// fewer.
func TestCapIsNeverExceeded(t *testing.T) {
	const limit = 5
	onEach(t, func(t *testing.T, r testStore) {
		rng := rand.New(rand.NewPCG(7, 1))
		underWay := map[string]bool{}
		for range 400 {
			task := fmt.Sprint("t", rng.IntN(12))
			switch n := rng.IntN(10); {
			case n == 0:
				r.expire(t, task)
				delete(underWay, task)
			case n == 1:
				r.release(t, task)
				delete(underWay, task)
			case n == 2 && underWay[task]:
				ok(t, r.Caps().Renew(t.Context(), "tenant", []string{task}))
			default:
				want := underWay[task] || len(underWay) < limit
				if got := r.acquire(t, task, limit); got != want {
					t.Fatalf("%s got a place: %v; under way are %v", task, got, underWay)
				}
				if want {
					underWay[task] = true
				}
			}
		}
	})
}

// A task gets places of all its caps, or of none.
func TestAllCapsOrNone(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		tenant, bucket := caps.Cap{Name: "tenant", Limit: 2}, caps.Cap{Name: "bucket", Limit: 1}
		both := []caps.Cap{tenant, bucket}
		acquire := must[string](t)
		same(t, "first", acquire(r.Caps().Acquire(t.Context(), both, "a")), "")
		same(t, "first again", acquire(r.Caps().Acquire(t.Context(), both, "a")), "")
		same(t, "second", acquire(r.Caps().Acquire(t.Context(), both, "b")), "bucket")
		same(t, "places", r.client.ZCard(t.Context(), schema.Key(schema.Cap, "tenant")).Val(), int64(1))
		if r.client.TTL(t.Context(), schema.Key(schema.Cap, "tenant")).Val() <= 0 {
			t.Error("a cap never expires")
		}
	})
}

// A task that is under way holds its place although the cap is reached
// without it: others have begun while its worker did not reach Redis.
func TestRenewalAddsTheTask(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		r.acquire(t, "a", 1)
		r.expire(t, "a")
		same(t, "b has the place", r.acquire(t, "b", 1), true)
		ok(t, r.Caps().Renew(t.Context(), "tenant", []string{"a", "b"}))
		r.release(t, "b")
		same(t, "c gets no place", r.acquire(t, "c", 1), false)
	})
}
