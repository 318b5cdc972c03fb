package queue_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// limited returns a store whose jobs may keep so many bytes.
func limited(r testStore, bytes int64) testStore {
	r.Store = r.WithLimits(queue.Limits{Bytes: bytes})
	return r
}

// Whatever a job keeps counts against one budget. The call that
// would exceed it fails and writes nothing.
func TestOneBudgetForAllThatAJobKeeps(t *testing.T) {
	long := strings.Repeat("k", 30_000)
	random := func(n int) []byte {
		data := make([]byte, n)
		_, _ = rand.Read(data) // never fails
		return data
	}
	plan := func(t *testing.T, l queue.Lease, text []byte) error {
		return l.Plan(t.Context(), queue.PlannedShard{Index: int(heartbeat(t, l).Committed.ShardsTotal), Shard: text})
	}
	calls := map[string]func(*testing.T, testStore, queue.Lease, int) error{
		"planned-shards": func(t *testing.T, _ testStore, l queue.Lease, i int) error {
			return plan(t, l, []byte(long+fmt.Sprint(i)))
		},
		"small-planned-shards": func(t *testing.T, _ testStore, l queue.Lease, i int) error {
			return plan(t, l, fmt.Append(nil, i))
		},
		"planned-inputs": func(t *testing.T, _ testStore, l queue.Lease, i int) error {
			return l.Plan(t.Context(), queue.PlannedShard{
				Index: int(heartbeat(t, l).Committed.ShardsTotal), Shard: fmt.Append([]byte(long), i), Input: random(5000),
			})
		},
		"parts": func(t *testing.T, r testStore, l queue.Lease, i int) error {
			c := queue.Checkpoint{From: from(i), To: from(i + 1), Data: random(5000)}
			_, err := queue.RunOf(r.Store, ref(l.ID, 3), "run").Commit(t.Context(), c)
			return err
		},
	}
	onEach(t, func(t *testing.T, all testStore) {
		const budget = 100_000
		r := limited(all, budget)
		for name, call := range calls {
			l := planned(t, r, name, 10)
			for i := range 2 { // some of everything
				ok(t, calls["planned-shards"](t, r, l, i))
				ok(t, calls["parts"](t, r, l, i))
			}
			var err error
			var before map[string]bool
			i, most := 2, 30
			if name == "small-planned-shards" {
				most = 1000
			}
			for ; err == nil && i < most; i++ {
				if name != "small-planned-shards" { // there are thousands
					before = state(t, r)
				}
				err = call(t, r, l, i)
			}
			if kept := heartbeat(t, l).KeptBytes; !errors.Is(err, queue.ErrBudget) || kept > budget || kept < budget/2 {
				t.Errorf("%s: %d calls, %d bytes are kept, %v", name, i, kept, err)
			}
			if d := difference(before, state(t, r)); name != "small-planned-shards" && d != "" {
				t.Errorf("%s: written:%s", name, d)
			}
		}
	})
}

func from(i int) string {
	if i == 0 {
		return ""
	}
	return fmt.Sprintf("k%06d", i)
}

// The failure of a job that was too large always fits, and frees
// what the job kept.
func TestFailureFreesWhatAJobKept(t *testing.T) {
	onEach(t, func(t *testing.T, all testStore) {
		r := limited(all, 100_000)
		l := planned(t, r, "j", 2)
		commit(t, r, ref("j", 0), whole("x", 3))
		e := queue.End{Result: []byte(strings.Repeat("x", 100_000)), Keep: time.Hour}
		before := state(t, r)
		if err := l.Publish(t.Context(), e); !errors.Is(err, queue.ErrBudget) {
			t.Errorf("a result over the budget: %v", err)
		}
		if d := difference(before, state(t, r)); d != "" {
			t.Errorf("written:%s", d)
		}
		fail(t, l)
		for _, key := range keys(t, r.client) {
			switch key {
			case schema.RecordKey("j"), schema.Key(schema.Errors, "j"), schema.EventsKey:
			default:
				t.Errorf("%s is left", key)
			}
		}
	})
}

func TestLimitOfObjects(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		r.Store = r.WithLimits(queue.Limits{Objects: 25})
		l := planned(t, r, "j", 2)
		before := state(t, r)
		for range 2 {
			if err := l.Plan(t.Context(), shard(2)); !errors.Is(err, queue.ErrObjects) {
				t.Errorf("30 of 25 objects: %v", err)
			}
		}
		if d := difference(before, state(t, r)); d != "" {
			t.Errorf("written:%s", d)
		}
		last := shard(2)
		last.Objects = 5
		ok(t, l.Plan(t.Context(), last))
		ok(t, l.Plan(t.Context(), last)) // the answer was lost
	})
}

// An error list may take an eighth of the budget. Further lines
// are counted only, and the job can be retried as a whole alone.
func TestErrorListTakesAnEighthOfTheBudget(t *testing.T) {
	onEach(t, func(t *testing.T, all testStore) {
		r := limited(all, 80_000)
		l := planned(t, r, "j", 50)
		for i := range 50 {
			list := []tasks.ObjectError{{Key: rand.Text(), Code: "x", Message: rand.Text() + rand.Text() + rand.Text()}}
			for range 10 {
				list = append(list, tasks.ObjectError{Key: rand.Text(), Code: "x", Message: rand.Text()})
			}
			commit(t, r, ref("j", i), queue.Checkpoint{Last: true, Objects: 10, Errors: list})
		}
		size := 0
		for _, text := range r.client.HGetAll(t.Context(), schema.Key(schema.Errors, "j")).Val() {
			size += len(text)
		}
		if p := status(t, r, "j").Progress; size > 10_000 || size < 8000 || p.Failed != 550 {
			t.Errorf("%d bytes of lines, %d failed", size, p.Failed)
		}
		succeed(t, l)
		if _, err := r.BeginRetry(t.Context(), "j", 1); !errors.Is(err, queue.ErrNotRetryable) {
			t.Errorf("retry: %v", err)
		}

		single := claimSingle(t, r, "s")
		long := []tasks.ObjectError{}
		for range 400 {
			long = append(long, tasks.ObjectError{Key: rand.Text(), Code: "x", Message: rand.Text()})
		}
		ok(t, single.Publish(t.Context(), queue.End{
			Result: []byte("{}"), Keep: time.Hour, Errors: long, Counts: &tasks.Progress{Objects: 400, Failed: 400},
		}))
		if n := r.client.Exists(t.Context(), schema.Key(schema.Errors, "s")).Val(); n != 0 {
			t.Error("a single job keeps a list above its share")
		}
	})
}

// A server may answer with a new code each time. The record does
// not grow with them, and the sum is right.
func TestCodesAreBounded(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		list := make([]tasks.ObjectError, 300)
		for i := range list {
			list[i] = tasks.ObjectError{Key: fmt.Sprint(i), Code: fmt.Sprintf("code-%d-%s", i, strings.Repeat("x", 1000))}
		}
		planned(t, r, "j", 2)
		commit(t, r, ref("j", 0), queue.Checkpoint{Last: true, Objects: 300, Errors: list})
		commit(t, r, ref("j", 1), queue.Checkpoint{Last: true, Objects: 300, Errors: list})
		ok(t, claimSingle(t, r, "s").Publish(t.Context(), queue.End{
			Result: []byte("{}"), Keep: time.Hour, Errors: list, Counts: &tasks.Progress{Objects: 300, Failed: 300},
		}))
		for id, want := range map[string]int64{"j": 600, "s": 300} {
			sum := int64(0)
			codes := status(t, r, id).Progress.Codes
			for code, n := range codes {
				sum += n
				if len(code) > 64 {
					t.Errorf("a code of %d bytes", len(code))
				}
			}
			if len(codes) > 51 || sum != want {
				t.Errorf("%s: %d codes, %d errors; want 51 and %d", id, len(codes), sum, want)
			}
		}
	})
}

// Until a task may begin, its ID belongs to its job.
func TestRecordOutlivesADelay(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		const day = 24 * time.Hour
		_, err := r.Create(t.Context(), queue.NewJob{ID: "j", Kind: kind, Wait: 60 * day})
		ok(t, err)
		if left := r.client.PTTL(t.Context(), schema.RecordKey("j")).Val(); left < 89*day {
			t.Errorf("the record goes in %s, the task begins in 60 days", left)
		}
	})
}

// The clocks of producers and workers may be wrong.
func TestTimesAreThoseOfTheServer(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	r := open(t, redisconn.Options{Addr: server.Addr()})
	begin := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	server.SetTime(begin)
	create(t, r, "j")
	server.SetTime(begin.Add(time.Minute))
	l := claim(t, r, "j")
	if left := l.Until(begin.Add(time.Hour)); left > 59*time.Minute || left < 58*time.Minute {
		t.Errorf("%s are left of 59 minutes", left)
	}
	claim(t, r, "foreign")
	server.SetTime(begin.Add(2 * time.Minute))
	succeed(t, l)
	cancel(t, r, "foreign")

	s, foreign := status(t, r, "j"), status(t, r, "foreign")
	for what, times := range map[string][2]time.Time{
		"created":                {s.Created, begin},
		"started":                {s.Started, begin.Add(time.Minute)},
		"finished":               {s.Finished, begin.Add(2 * time.Minute)},
		"created by its claim":   {foreign.Created, begin.Add(time.Minute)},
		"finished by its cancel": {foreign.Finished, begin.Add(2 * time.Minute)},
	} {
		if !times[0].Equal(times[1]) {
			t.Errorf("%s at %s, want %s", what, times[0], times[1])
		}
	}
}

// The inputs of shards get a quarter of the budget. A shard for whose
// input there is no room is planned without it. What a shard that is
// done has freed, others may use.
func TestInputsGetAQuarterOfTheBudget(t *testing.T) {
	onEach(t, func(t *testing.T, all testStore) {
		const size = 1000
		r := limited(all, 16*size)
		l, n := claim(t, r, "j"), 0
		plan := func() (input []byte) {
			ok(t, l.Plan(t.Context(), queue.PlannedShard{
				Index: n, Shard: fmt.Append(nil, n), Input: bytes.Repeat([]byte{byte(n)}, size),
			}))
			n++
			return start(t, r, ref("j", n-1)).Input
		}
		for i := range 6 {
			if got := plan(); (len(got) > 0) != (i < 4) || i < 4 && (len(got) != size || got[0] != byte(i)) {
				t.Errorf("shard %d starts with an input of %d bytes", i, len(got))
			}
		}
		run := queue.RunOf(r.Store, ref("j", 1), "run")
		for i, last := range []bool{false, true, true} { // the last call is sent again
			if !must[bool](t)(run.Commit(t.Context(), queue.Checkpoint{From: from(i), To: from(i + 1), Last: last})) && i < 2 {
				t.Errorf("checkpoint %d does not count", i)
			}
			if i == 0 && len(start(t, r, ref("j", 1)).Input) != size {
				t.Error("the input is gone before the shard is done")
			}
		}
		if first, second := plan(), plan(); len(first) != size || len(second) != 0 {
			t.Errorf("after one shard is done: inputs of %d and %d bytes", len(first), len(second))
		}
		cancel(t, r, "j")
		if left := must[int64](t)(r.client.Exists(t.Context(), schema.Key(schema.Inputs, "j")).Result()); left != 0 {
			t.Error("the inputs are left after the job")
		}
	})
}
