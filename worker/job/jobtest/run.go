package jobtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Outcome is what came of one run of a sharded job.
type Outcome struct {
	Result tasks.Result
	Err    error
	Shards []job.Shard
	Items  [][]job.Item        // of each shard
	Counts tasks.Progress      // of all items
	Errors []tasks.ObjectError // of all items, in order
}

// Run runs a sharded job from its plan to its end. Every shard is worked on
// twice, as it may happen: once as a whole, which counts, and once
// interrupted again and again. Both must make the same data.
func Run[J tasks.Job](t testing.TB, w *World, room job.Sharded[J], j J) Outcome {
	t.Helper()
	if err := j.Validate(); err != nil {
		t.Fatalf("the test's payload: %v", err)
	}
	shards, err := Plan(t, w, room, j, "")
	return finish(t, w, room, j, Outcome{Shards: shards, Err: err})
}

// Failed is what Retry takes: the keys of the error list, size of them a
// shard, and the result to amend.
func (out *Outcome) Failed(size int) Outcome {
	retry := Outcome{Result: out.Result}
	for chunk := range slices.Chunk(out.Errors, size) {
		s := job.Shard{Objects: int64(len(chunk))}
		for _, e := range chunk {
			s.Keys = append(s.Keys, e.Key)
		}
		retry.Shards = append(retry.Shards, s)
	}
	return retry
}

// Retry runs a sharded job again for what had failed alone.
func Retry[J tasks.Job](t testing.TB, w *World, room job.Sharded[J], j J, failed Outcome) Outcome {
	t.Helper()
	return finish(t, w, room, j, failed)
}

// finish works on the shards and finishes the job. A result that is there
// already is that of the run to amend.
func finish[J tasks.Job](t testing.TB, w *World, room job.Sharded[J], j J, out Outcome) Outcome {
	t.Helper()
	for _, s := range out.Shards {
		items, err := Work(t, w, room, j, s)
		out.keep(items)
		if err != nil {
			out.Err = err
			return out
		}
		same(t, s, items, func(s job.Shard) iter.Seq2[job.Item, error] { return room.Work(t.Context(), j, w.sharded(), s) })
	}
	parts := Parts(slices.Concat(out.Items...))
	if out.Result != nil {
		var err error
		if parts.Earlier, err = json.Marshal(out.Result); err != nil {
			t.Fatal(err)
		}
	}
	if out.Err == nil {
		out.Result, out.Err = room.Finish(t.Context(), j, w.sharded(), parts)
	}
	return out
}

func (out *Outcome) keep(items []job.Item) {
	out.Items = append(out.Items, items)
	for _, i := range items {
		out.Counts.Objects++
		out.Counts.Bytes += i.Bytes
		if i.Fault != nil {
			out.Counts.Failed++
			out.Errors = append(out.Errors, *i.Fault)
		}
	}
}

// Work works on a shard until it ends, and checks that the items are in order
// and within the shard.
func Work[J tasks.Job](t testing.TB, w *World, room job.Sharded[J], j J, s job.Shard) (items []job.Item, err error) {
	t.Helper()
	last := s.After
	for i, err := range room.Work(t.Context(), j, w.sharded(), s) {
		if err != nil {
			return items, err
		}
		if i.Key <= last || s.Keys == nil && i.Key > s.Through || i.Fault != nil && i.Fault.Key != i.Key {
			t.Errorf("item %+v after %q in the shard %+v", i, last, s)
		}
		last = i.Key
		items = append(items, i)
	}
	return items, nil
}

// rounds is about how often Run interrupts a shard: often enough, and still
// quick with a thousand objects.
const rounds = 5

func same(t testing.TB, s job.Shard, whole []job.Item, work func(job.Shard) iter.Seq2[job.Item, error]) {
	t.Helper()
	items, err := Interrupted(s, 1+len(whole)/rounds, work)
	if err != nil {
		t.Fatalf("shard %+v, interrupted: %v", s, err)
	}
	if diff := cmp.Diff(Lines(whole), Lines(items)); diff != "" {
		t.Errorf("shard %+v made other data when it was interrupted:\n%s", s, diff)
	}
}

// Interrupted stops the work on a shard after every kth item, and goes on
// after it, until the shard ends.
func Interrupted(s job.Shard, k int, work func(job.Shard) iter.Seq2[job.Item, error]) (items []job.Item, err error) {
	for {
		n := 0
		for i, err := range work(s) {
			switch {
			case err != nil:
				return items, err
			case i.Key <= s.After:
				return items, fmt.Errorf("%q is worked on again after %q", i.Key, s.After)
			}
			items = append(items, i)
			s.After = i.Key
			if n++; n == k {
				break
			}
		}
		if n < k {
			return items, nil
		}
	}
}

// Lines are what items add to the output or to the error list, each with its
// key. Others are left out: there may be more of them the second time, when a
// job writes where it lists.
func Lines(items []job.Item) (lines []string) {
	for _, i := range items {
		switch {
		case i.Fault != nil:
			lines = append(lines, i.Key+" "+i.Fault.Code)
		case len(i.Data) > 0:
			lines = append(lines, i.Key+" "+string(i.Data))
		}
	}
	return lines
}

// pieceSize is how many items are in a piece of Parts.Data.
const pieceSize = 3

// Parts is what the engine makes of items.
func Parts(items []job.Item) job.Parts {
	p := job.Parts{Tally: map[string]int64{}}
	for _, i := range items {
		p.Bytes += i.Bytes
		p.Size += int64(len(i.Data))
		if i.Tally != "" {
			p.Tally[i.Tally]++
		}
		if i.Fault != nil {
			p.Failed++
		}
	}
	p.Data = func(yield func([]byte, error) bool) {
		for chunk := range slices.Chunk(items, pieceSize) {
			var piece []byte
			for _, i := range chunk {
				piece = append(piece, i.Data...)
			}
			if !yield(piece, nil) {
				return
			}
		}
	}
	return p
}

// Plan collects the shards after a key.
func Plan[J tasks.Job](t testing.TB, w *World, room job.Sharded[J], j J, after string) (shards []job.Shard, err error) {
	t.Helper()
	err = room.Plan(t.Context(), j, w.sharded(), after, func(s job.Shard) error {
		shards = append(shards, s)
		return nil
	})
	return shards, err
}

// Resumes checks that planning goes on after each shard as if it had never
// stopped.
func Resumes[J tasks.Job](t testing.TB, w *World, room job.Sharded[J], j J) {
	t.Helper()
	all, err := Plan(t, w, room, j, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 2 {
		t.Fatalf("%d shards are too few to stop in between", len(all))
	}
	for i, s := range all {
		rest, err := Plan(t, w, room, j, s.Through)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all[i+1:], rest, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("after shard %d the plan differs:\n%s", i, diff)
		}
	}
}

// WantKind fails the test unless err has a kind, and returns it.
func WantKind(t testing.TB, err error, kind providers.Kind) *providers.Error {
	t.Helper()
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("error %v, want kind %s", err, kind)
	}
	return e
}
