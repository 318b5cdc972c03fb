package queue_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

func parts(t *testing.T, l queue.Lease, n int) (texts []string) {
	t.Helper()
	for _, p := range collect(t, l.Parts(t.Context(), n)) {
		texts = append(texts, string(p))
	}
	return texts
}

func TestCheckpointsGoOnWhereTheLastOneEnded(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := planned(t, r, "j", 3)
		checkpoint := func(from, to, data string, last bool) queue.Checkpoint {
			return queue.Checkpoint{
				From: from, To: to, Last: last, Data: []byte(data), Objects: 2, Bytes: 5, Errors: lines(1),
				Tally: map[string]int64{"jpeg": 1, to: 1},
			}
		}
		const run, rival = "a run", "another run"
		for i, s := range []struct {
			run        string
			checkpoint queue.Checkpoint
			want       bool
		}{
			{run, checkpoint("a", "b", "early", false), false},
			{run, checkpoint("", "b", "one ", false), true},
			{run, checkpoint("", "b", "one ", false), true}, // sent again: it has counted once
			{run, checkpoint("", "c", "other", false), false},
			{run, checkpoint("b", "c", "two ", false), true},
			{rival, checkpoint("b", "d", "RIVAL", true), false},
			{run, checkpoint("c", "d", "three", true), true},
			{run, checkpoint("c", "d", "three", true), true},
			{rival, checkpoint("b", "d", "RIVAL", true), false},
			{run, checkpoint("d", "e", "late", false), false},
			{run, checkpoint("", "b", "from the start", false), false},
			{rival, queue.Checkpoint{Last: true, Objects: 1}, false},
		} {
			if got := commitAs(t, r, ref("j", 1), s.run, s.checkpoint); got != s.want {
				t.Errorf("checkpoint %d counts: %v", i, got)
			}
			if done := heartbeat(t, l).Done(1); done != (i >= 6) {
				t.Errorf("after checkpoint %d the shard is done: %v", i, done)
			}
		}

		commit(t, r, ref("j", 2), queue.Checkpoint{Last: true}) // a part may be empty
		commit(t, r, ref("j", 0), whole("zero", 0))
		if got := parts(t, l, 3); !slices.Equal(got, []string{"zero", "one two three", ""}) {
			t.Errorf("parts %q", got)
		}
		same(t, "totals", must[queue.Totals](t)(l.Totals(t.Context())), queue.Totals{
			Tally: map[string]int64{"jpeg": 3, "b": 1, "c": 1, "d": 1}, Codes: map[string]int64{"corrupt-image": 3},
			Shards: 3, Bytes: 115, Size: int64(len("zeroone two three")), Failed: 3,
		})
		same(t, "progress", status(t, r, "j").Progress, tasks.Progress{
			Objects: 16, ObjectsTotal: 30, Bytes: 115, Failed: 3, Shards: 3, ShardsTotal: 3,
			Codes: map[string]int64{"corrupt-image": 3},
		})
		if n := len(collect(t, r.Errors(t.Context(), "j"))); n != 3 {
			t.Errorf("%d lines of errors", n)
		}
	})
}

// A checkpoint from a key to itself could count any number of
// times.
func TestCheckpointWithoutProgressIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		planned(t, r, "j", 1)
		run := queue.RunOf(r.Store, ref("j", 0), "run")
		if _, err := run.Commit(t.Context(), queue.Checkpoint{From: "a", To: "a"}); err == nil {
			t.Error("it was accepted")
		}
	})
}

// objectsPerShard is how many objects commitShard commits.
const objectsPerShard = 12

// commitShard does a shard in checkpoints of some objects, as one
// run. It stops when one does not count, and returns how many
// objects counted.
func commitShard(t *testing.T, r testStore, shard, size int) (counted int64) {
	t.Helper()
	const objects = objectsPerShard
	at, run := "", rand.Text()
	for from := 0; from < objects; from += size {
		to := min(from+size, objects)
		c := queue.Checkpoint{
			From: at, To: fmt.Sprint("k", to), Last: to == objects,
			Tally: map[string]int64{"done": int64(to - from)},
		}
		for i := from; i < to; i++ {
			c.Data = fmt.Appendf(c.Data, "%d/%d ", shard, i)
			c.Objects, c.Bytes = c.Objects+1, c.Bytes+7
			c.Errors = append(c.Errors, tasks.ObjectError{
				Key: fmt.Sprintf("%d/%d", shard, i), Code: "c" + strconv.Itoa(i%2),
			})
		}
		if !commitAs(t, r, ref("j", shard), run, c) {
			break
		}
		counted += c.Objects
		at = c.To
	}
	return counted
}

// Several workers have the same shard, as after a partition of
// the network. In whatever order they commit, each object counts
// once.
func TestRivalsCountOnce(t *testing.T) {
	const shards, objects, rivals = 40, objectsPerShard, 3
	onEach(t, func(t *testing.T, r testStore) {
		l := planned(t, r, "j", shards)
		var counted atomic.Int64
		var want []string
		for s := range shards {
			atOnce(rivals, func(i int) { counted.Add(commitShard(t, r, s, 1+(s+i*(s%3))%5)) })
			var text strings.Builder
			for i := range objects {
				fmt.Fprintf(&text, "%d/%d ", s, i)
			}
			want = append(want, text.String())
		}

		const all = shards * objects
		s := heartbeat(t, l)
		same(t, "committed", s.Committed, tasks.Progress{
			Objects: all, ObjectsTotal: 10 * shards, Bytes: 7 * all, Failed: all, Shards: shards, ShardsTotal: shards,
		})
		if counted.Load() != all {
			t.Errorf("the runs learned that %d objects counted, want %d", counted.Load(), all)
		}
		if got := parts(t, l, shards); !slices.Equal(got, want) {
			t.Errorf("parts %q", got)
		}
		if n := len(collect(t, r.Errors(t.Context(), "j"))); n != all {
			t.Errorf("%d lines of errors", n)
		}
		same(t, "tally", must[queue.Totals](t)(l.Totals(t.Context())).Tally, map[string]int64{"done": all})
		same(t, "codes", status(t, r, "j").Progress.Codes, map[string]int64{"c0": all / 2, "c1": all / 2})
		if undone := s.Undone(0, shards); undone != nil || len(s.Shards) != 0 {
			t.Errorf("undone %v, shards %v", undone, s.Shards)
		}
	})
}

func TestErrorListIsCapped(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		planned(t, r, "j", 15)
		for i := range 15 {
			commit(t, r, ref("j", i), whole("", 1000))
		}
		if n := len(collect(t, r.Errors(t.Context(), "j"))); n != queue.ErrorsKept {
			t.Errorf("%d lines kept", n)
		}
		if p := status(t, r, "j").Progress; p.Failed != 15_000 || p.Codes["corrupt-image"] != 15_000 {
			t.Errorf("counted: %+v", p)
		}
	})
}

func TestNothingCountsAfterTheEnd(t *testing.T) {
	ends := map[string]func(*testing.T, testStore, queue.Lease){
		"succeeded": func(t *testing.T, _ testStore, l queue.Lease) { succeed(t, l) },
		"failed":    func(t *testing.T, _ testStore, l queue.Lease) { fail(t, l) },
		"cancelled": func(t *testing.T, r testStore, l queue.Lease) { cancel(t, r, l.ID) },
		"shard-failure": func(t *testing.T, r testStore, l queue.Lease) {
			run := queue.RunOf(r.Store, ref(l.ID, 0), "run")
			ok(t, run.Fail(t.Context(), tasks.Failure{Kind: "denied"}))
			ok(t, run.Fail(t.Context(), tasks.Failure{Kind: "later"}))
			if s := heartbeat(t, l); s.ShardFailure == nil || s.ShardFailure.Kind != "denied" {
				t.Errorf("failure %+v", s.ShardFailure)
			}
		},
		"finishing": func(t *testing.T, _ testStore, l queue.Lease) {
			ok(t, l.Advance(t.Context(), tasks.StatePlanning, tasks.StateFinishing))
		},
	}
	onEach(t, func(t *testing.T, r testStore) {
		for name, end := range ends {
			l := planned(t, r, name, 2)
			first := queue.Checkpoint{To: "b", Objects: 1, Data: []byte("x")}
			commitAs(t, r, ref(name, 0), "run", first)
			end(t, r, l)
			before := state(t, r)

			started := start(t, r, ref(name, 1)).Wanted
			wanted := must[bool](t)(r.HeartbeatShards(t.Context(), name, 0, map[int]tasks.Progress{0: {}, 1: {}}))
			late := commitAs(t, r, ref(name, 0), "run", queue.Checkpoint{
				From: "b", Last: true, Objects: 1, Data: []byte("x"), Errors: lines(1),
			})
			other := commit(t, r, ref(name, 1), whole("x", 1))
			suspend(t, r, ref(name, 0), time.Minute)
			markSuspect(t, r, ref(name, 0), "k")
			ok(t, queue.RunOf(r.Store, ref(name, 0), "run").Fail(t.Context(), tasks.Failure{Kind: "late"}))

			if started || wanted || late || other {
				t.Errorf("%s: start %v, heartbeat %v, commits %v %v", name, started, wanted, late, other)
			}
			if d := difference(before, state(t, r)); d != "" {
				t.Errorf("%s: written afterwards:%s", name, d)
			}
		}
	})
}

func TestMissingPartIsAnError(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := planned(t, r, "j", 60)
		for i := range 59 {
			commit(t, r, ref("j", i), whole("x", 0))
		}
		read, failed := 0, false
		for _, err := range l.Parts(t.Context(), 60) {
			failed = err != nil
			read++
		}
		if read != 60 || !failed {
			t.Errorf("read %d, the last one is an error: %v", read, failed)
		}
		for _, err := range l.Parts(t.Context(), 60) { // a reader may stop
			ok(t, err)
			break
		}
	})
}

// Without compression a large job would not fit into Redis.
func TestPartsAreCompressed(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := planned(t, r, "j", 1)
		line := `{"name":"images/000001","extension":".jpg","width":640,"height":480}` + "\n"
		part := bytes.Repeat([]byte(line), 1000)
		commit(t, r, ref("j", 0), whole(string(part), 0))
		n := r.client.HGet(t.Context(), schema.Key(schema.Parts, "j"), "0").Val()
		if len(n) == 0 || len(n) > len(part)/20 || heartbeat(t, l).PartsBytes != int64(len(n)) {
			t.Errorf("%d bytes for %d", len(n), len(part))
		}
	})
}
