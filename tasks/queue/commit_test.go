package queue_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

func parts(t *testing.T, r room, job string, n int) (texts []string) {
	t.Helper()
	for _, p := range collect(t, r.Parts(t.Context(), job, n)) {
		texts = append(texts, string(p))
	}
	return texts
}

func TestPiecesGoOnWhereTheLastOneEnded(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := planned(t, r, "j", 3)
		piece := func(from, to, data string, last bool) queue.Piece {
			return queue.Piece{
				From: from, To: to, Last: last, Run: "a run", Data: []byte(data), Objects: 2, Bytes: 5, Errors: lines(1),
				Tally: map[string]int64{"jpeg": 1, to: 1}, Budget: budget,
			}
		}
		rival := piece("b", "d", "RIVAL", true)
		rival.Run = "another run"
		for i, s := range []struct {
			piece queue.Piece
			want  bool
		}{
			{piece("a", "b", "early", false), false},
			{piece("", "b", "one ", false), true},
			{piece("", "b", "one ", false), true}, // the same again: it counted, once
			{piece("", "c", "other", false), false},
			{piece("b", "c", "two ", false), true},
			{rival, false},
			{piece("c", "d", "three", true), true},
			{piece("c", "d", "three", true), true},
			{rival, false},
			{piece("d", "e", "late", false), false},
			{piece("", "b", "from the start", false), false},
			{queue.Piece{Last: true, Run: "another run", Objects: 1, Budget: budget}, false},
		} {
			if got := commit(t, r, ref("j", 1), s.piece); got != s.want {
				t.Errorf("piece %d counts: %v", i, got)
			}
			if done := look(t, r, c).Done(1); done != (i >= 6) {
				t.Errorf("after piece %d the shard is done: %v", i, done)
			}
		}
		commit(t, r, ref("j", 2), queue.Piece{Last: true, Budget: budget}) // no data is a part too
		commit(t, r, ref("j", 0), whole("zero", 0))
		if got := parts(t, r, "j", 3); !slices.Equal(got, []string{"zero", "one two three", ""}) {
			t.Errorf("parts %q", got)
		}
		totals := must[queue.Totals](t)(r.Totals(t.Context(), "j"))
		same(t, "totals", totals, queue.Totals{
			Tally: map[string]int64{"jpeg": 3, "b": 1, "c": 1, "d": 1}, Shards: 3, Bytes: 115, Size: int64(len("zeroone two three")), Failed: 3,
		})
		p := status(t, r, "j").Progress
		same(t, "progress", p, tasks.Progress{
			Objects: 16, ObjectsTotal: 30, Bytes: 115, Failed: 3, Shards: 3, ShardsTotal: 3, Codes: map[string]int64{"corrupt-image": 3},
		})
		if n := len(collect(t, r.Errors(t.Context(), "j"))); n != 3 {
			t.Errorf("%d lines of errors", n)
		}
	})
}

func TestPieceWithoutProgressIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		planned(t, r, "j", 1)
		if _, err := r.Commit(t.Context(), ref("j", 0), queue.Piece{From: "a", To: "a", Budget: budget}); err == nil {
			t.Error("a piece from a key to itself could count any number of times")
		}
	})
}

// Two workers have the same shard, as after a partition. However their pieces
// fall together, what counts is one whole run.
func TestRivalsCountOnce(t *testing.T) {
	const shards, objects, rivals = 40, 12, 3
	work := func(t *testing.T, r room, shard, size int, run string, counted *atomic.Int64) {
		at := ""
		for from := 0; from < objects; from += size {
			to := min(from+size, objects)
			p := queue.Piece{From: at, To: fmt.Sprint("k", to), Last: to == objects, Run: run, Budget: budget, Tally: map[string]int64{"done": int64(to - from)}}
			for i := from; i < to; i++ {
				p.Data = fmt.Appendf(p.Data, "%d/%d ", shard, i)
				p.Objects, p.Bytes = p.Objects+1, p.Bytes+7
				p.Errors = append(p.Errors, tasks.ObjectError{Key: fmt.Sprintf("%d/%d", shard, i), Code: "c" + strconv.Itoa(i%2)})
			}
			if !commit(t, r, ref("j", shard), p) {
				return
			}
			counted.Add(p.Objects)
			at = p.To
		}
	}
	onEach(t, func(t *testing.T, r room) {
		c := planned(t, r, "j", shards)
		var counted atomic.Int64
		var want []string
		for s := range shards {
			atOnce(rivals, func(i int) { work(t, r, s, 1+(s+i*(s%3))%5, fmt.Sprint("run", i), &counted) })
			var text strings.Builder
			for i := range objects {
				fmt.Fprintf(&text, "%d/%d ", s, i)
			}
			want = append(want, text.String())
		}
		const all = shards * objects
		v := look(t, r, c)
		same(t, "committed", v.Committed, tasks.Progress{Objects: all, ObjectsTotal: 10 * shards, Bytes: 7 * all, Failed: all, Shards: shards, ShardsTotal: shards})
		if counted.Load() != all {
			t.Errorf("the runs were told that %d objects counted, want %d", counted.Load(), all)
		}
		if got := parts(t, r, "j", shards); !slices.Equal(got, want) {
			t.Errorf("parts %q", got)
		}
		if n := len(collect(t, r.Errors(t.Context(), "j"))); n != all {
			t.Errorf("%d lines of errors", n)
		}
		totals := must[queue.Totals](t)(r.Totals(t.Context(), "j"))
		same(t, "tally", totals.Tally, map[string]int64{"done": all})
		same(t, "codes", status(t, r, "j").Progress.Codes, map[string]int64{"c0": all / 2, "c1": all / 2})
		if undone := v.Undone(0, shards); undone != nil || len(v.Runs) != 0 {
			t.Errorf("undone %v, runs %v", undone, v.Runs)
		}
	})
}

func TestErrorListIsCapped(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
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

func TestBudgetStoresNothing(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := planned(t, r, "j", 2)
		p := queue.Piece{Last: true, Data: []byte("some data"), Objects: 1, Errors: lines(1), Budget: budget}
		commit(t, r, ref("j", 0), p)
		p.Budget = look(t, r, c).PartsBytes + 1
		before := state(t, r)
		if counted, err := r.Commit(t.Context(), ref("j", 1), p); counted || !errors.Is(err, queue.ErrBudget) {
			t.Errorf("%v, %v", counted, err)
		}
		if d := difference(before, state(t, r)); d != "" {
			t.Errorf("stored:%s", d)
		}
		p.Budget = 2 * look(t, r, c).PartsBytes
		if !commit(t, r, ref("j", 1), p) {
			t.Error("a piece that just fits was refused")
		}
	})
}

func TestNothingCountsAfterTheEnd(t *testing.T) {
	ends := map[string]func(*testing.T, room, queue.Claim){
		"succeeded": func(t *testing.T, r room, c queue.Claim) { succeed(t, r, c) },
		"failed": func(t *testing.T, r room, c queue.Claim) {
			ok(t, r.Publish(t.Context(), c, queue.End{Failure: &tasks.Failure{Kind: "denied"}, Keep: time.Hour}))
		},
		"cancelled": func(t *testing.T, r room, c queue.Claim) {
			must[tasks.State](t)(r.Cancel(t.Context(), c.ID, time.Hour))
		},
		"fault": func(t *testing.T, r room, c queue.Claim) {
			ok(t, r.Fail(t.Context(), c.ID, tasks.Failure{Kind: "denied"}))
			ok(t, r.Fail(t.Context(), c.ID, tasks.Failure{Kind: "later"}))
			if v := look(t, r, c); v.Fault == nil || v.Fault.Kind != "denied" {
				t.Errorf("fault %+v", v.Fault)
			}
		},
		"finishing": func(t *testing.T, r room, c queue.Claim) {
			ok(t, r.Step(t.Context(), c, tasks.StatePlanning, tasks.StateFinishing))
		},
	}
	onEach(t, func(t *testing.T, r room) {
		for name, end := range ends {
			c := planned(t, r, name, 2)
			commit(t, r, ref(name, 0), queue.Piece{To: "b", Run: "r", Objects: 1, Data: []byte("x"), Budget: budget})
			end(t, r, c)
			before := state(t, r)
			a := must[queue.Assignment](t)(r.Start(t.Context(), ref(name, 1)))
			wanted := must[bool](t)(r.Beat(t.Context(), name, map[int]tasks.Progress{0: {}, 1: {}}))
			late := commit(t, r, ref(name, 0), queue.Piece{From: "b", Last: true, Run: "r", Objects: 1, Data: []byte("x"), Errors: lines(1), Budget: budget})
			other := commit(t, r, ref(name, 1), whole("x", 1))
			ok(t, r.Leave(t.Context(), ref(name, 0), time.Minute))
			ok(t, r.At(t.Context(), ref(name, 0), "k"))
			ok(t, r.Fail(t.Context(), name, tasks.Failure{Kind: "late"}))
			if a.Wanted || wanted || late || other {
				t.Errorf("%s: start %v, beat %v, commits %v %v", name, a.Wanted, wanted, late, other)
			}
			if d := difference(before, state(t, r)); d != "" {
				t.Errorf("%s: written afterwards:%s", name, d)
			}
		}
	})
}

func TestMissingPartIsNoticed(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		planned(t, r, "j", 60)
		for i := range 59 {
			commit(t, r, ref("j", i), whole("x", 0))
		}
		read, failed := 0, false
		for _, err := range r.Parts(t.Context(), "j", 60) {
			failed = err != nil
			read++
		}
		if read != 60 || !failed {
			t.Errorf("read %d, and at last an error: %v", read, failed)
		}
		for _, err := range r.Parts(t.Context(), "j", 60) { // a reader may stop
			ok(t, err)
			break
		}
	})
}

// What is in Redis is compressed, or a big job would not fit.
func TestPartsAreCompressed(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := planned(t, r, "j", 1)
		part := bytes.Repeat([]byte(`{"name":"images/000001","extension":".jpg","width":640,"height":480}`+"\n"), 1000)
		commit(t, r, ref("j", 0), whole(string(part), 0))
		n := r.client.HGet(t.Context(), "stevedore:{j}:parts", "0").Val()
		if len(n) == 0 || len(n) > len(part)/20 || look(t, r, c).PartsBytes != int64(len(n)) {
			t.Errorf("%d bytes for %d", len(n), len(part))
		}
	})
}
