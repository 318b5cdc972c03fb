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
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Outcome is the outcome of one run of a sharded job.
type Outcome struct {
	Result tasks.Result
	Err    error
	Shards []job.Shard
	Items  [][]job.Item        // of each shard
	Counts tasks.Progress      // of all items
	Errors []tasks.ObjectError // of all items, in order
}

// Run runs a sharded job from its plan to its end. It works on every
// shard twice: once without a stop, which counts, and once with many
// interruptions. The test fails unless both give the same data.
func Run[J tasks.Job](t testing.TB, w *World, impl job.Sharded[J], j J) Outcome {
	t.Helper()
	if err := j.Validate(); err != nil {
		t.Fatalf("the test's payload: %v", err)
	}
	shards, err := Plan(t, w, impl, j, "")
	return finish(t, w, impl, j, Outcome{Shards: shards, Err: err})
}

// Failed returns what Retry needs: shards of size keys each from the
// error list, and the result to amend.
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

// Retry runs a sharded job again for the objects that failed.
func Retry[J tasks.Job](
	t testing.TB, w *World, impl job.Sharded[J], j J, failed Outcome,
) Outcome {
	t.Helper()
	return finish(t, w, impl, j, failed)
}

// finish works on the shards of out and finishes the job. If out has
// a result already, it is that of the run to amend.
func finish[J tasks.Job](
	t testing.TB, w *World, impl job.Sharded[J], j J, out Outcome,
) Outcome {
	t.Helper()
	for _, s := range out.Shards {
		items, err := Work(t, w, impl, j, s)
		out.add(items)
		if err != nil {
			out.Err = err
			return out
		}
		checkInterrupted(t, s, items, func(s job.Shard) iter.Seq2[job.Item, error] {
			return impl.Work(t.Context(), j, w.shardedEnv(), s)
		})
	}

	parts := Parts(slices.Concat(out.Items...))
	if out.Result != nil {
		var err error
		if parts.Earlier, err = json.Marshal(out.Result); err != nil {
			t.Fatal(err)
		}
	}
	if out.Err == nil {
		out.Result, out.Err = impl.Finish(t.Context(), j, w.shardedEnv(), parts)
	}
	return out
}

func (out *Outcome) add(items []job.Item) {
	out.Items = append(out.Items, items)
	for _, i := range items {
		out.Counts.Objects++
		out.Counts.Bytes += i.Bytes
		if i.Error != nil {
			out.Counts.Failed++
			if i.Error.Warning {
				out.Counts.Warnings++
			}
			out.Errors = append(out.Errors, *i.Error)
		}
	}
}

// Work works on a shard until it ends. The test fails unless the
// items are within the shard, and in the order of the bucket, or of
// code points if the shard has keys. A shard with a Place may have any
// order.
func Work[J tasks.Job](
	t testing.TB, w *World, impl job.Sharded[J], j J, s job.Shard,
) (items []job.Item, err error) {
	t.Helper()
	last, order := s.After, w.order
	if s.Keys != nil {
		order = keyorder.Bytes
	}
	for i, err := range impl.Work(t.Context(), j, w.shardedEnv(), s) {
		if err != nil {
			return items, err
		}
		outside := last != "" && !order.Before(last, i.Key) ||
			s.Keys == nil && order.Before(s.Through, i.Key)
		if outside && s.Place == "" || i.Error != nil && i.Error.Key != i.Key {
			t.Errorf("item %+v after %q in the shard %+v", i, last, s)
		}
		last = i.Key
		items = append(items, i)
	}
	return items, nil
}

// interruptions is about how often Run interrupts a shard: often
// enough to find errors, and quick with a thousand objects.
const interruptions = 5

// checkInterrupted fails the test unless work gives the same data
// when it is interrupted.
func checkInterrupted(
	t testing.TB, s job.Shard, whole []job.Item, work func(job.Shard) iter.Seq2[job.Item, error],
) {
	t.Helper()
	items, err := Interrupted(s, 1+len(whole)/interruptions, work)
	if err != nil {
		t.Fatalf("shard %+v, interrupted: %v", s, err)
	}
	if diff := cmp.Diff(Lines(whole), Lines(items)); diff != "" {
		t.Errorf("shard %+v made other data when it was interrupted:\n%s", s, diff)
	}
}

// Interrupted stops the work on a shard after every kth item and
// continues after that item, until the shard ends.
func Interrupted(
	s job.Shard, k int, work func(job.Shard) iter.Seq2[job.Item, error],
) (items []job.Item, err error) {
	seen := map[string]bool{}
	for {
		n := 0
		for i, err := range work(s) {
			switch {
			case err != nil:
				return items, err
			case seen[i.Key]:
				return items, fmt.Errorf("%q is worked on again after %q", i.Key, s.After)
			}
			seen[i.Key] = true
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

// Lines returns what items add to the output or to the error list,
// each with its key. Other items are left out: a second run may list
// more of them if the job writes where it lists.
func Lines(items []job.Item) (lines []string) {
	for _, i := range items {
		switch {
		case i.Error != nil:
			lines = append(lines, i.Key+" "+i.Error.Code)
		case len(i.Data) > 0:
			lines = append(lines, i.Key+" "+string(i.Data))
		}
	}
	return lines
}

// itemsPerPiece is how many items are in a piece of Parts.Data.
const itemsPerPiece = 3

// Parts puts items together as the engine does.
func Parts(items []job.Item) job.Parts {
	p := job.Parts{Tally: map[string]int64{}, Codes: map[string]int64{}}
	for _, i := range items {
		p.Bytes += i.Bytes
		p.Size += int64(len(i.Data))
		if i.Tally != "" {
			p.Tally[i.Tally]++
		}
		for name, n := range i.Counts {
			p.Tally[name] += n
		}
		if i.Error != nil {
			p.Failed++
			p.Codes[i.Error.Code]++
			if i.Error.Warning {
				p.Warnings++
			}
		}
	}
	p.Data = func(yield func([]byte, error) bool) {
		for chunk := range slices.Chunk(items, itemsPerPiece) {
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

// Plan returns the shards that the job plans after a key.
func Plan[J tasks.Job](
	t testing.TB, w *World, impl job.Sharded[J], j J, after string,
) (shards []job.Shard, err error) {
	t.Helper()
	err = impl.Plan(t.Context(), j, w.shardedEnv(), after, func(s job.Shard) error {
		shards = append(shards, s)
		return nil
	})
	return shards, err
}

// Resumes fails the test unless a plan that stops after any shard
// continues with the same shards.
func Resumes[J tasks.Job](t testing.TB, w *World, impl job.Sharded[J], j J) {
	t.Helper()
	all, err := Plan(t, w, impl, j, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 2 {
		t.Fatalf("%d shards are too few to stop in between", len(all))
	}
	for i, s := range all {
		rest, err := Plan(t, w, impl, j, s.Through)
		if err != nil {
			t.Fatal(err)
		}
		order := cmpopts.IgnoreFields(job.Shard{}, "Order") // it is found out again
		if diff := cmp.Diff(all[i+1:], rest, cmpopts.EquateEmpty(), order); diff != "" {
			t.Errorf("after shard %d the plan differs:\n%s", i, diff)
		}
	}
}

// WantKind fails the test unless err has a kind, and returns err.
func WantKind(t testing.TB, err error, kind providers.Kind) *providers.Error {
	t.Helper()
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("error %v, want kind %s", err, kind)
	}
	return e
}
