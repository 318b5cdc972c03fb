package jobtest

import (
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Outcome is what came of one run of a sharded job.
type Outcome struct {
	Result tasks.Result
	Err    error
	Shards []job.Shard
	Parts  []job.Part
	Counts tasks.Progress      // of all shards together
	Errors []tasks.ObjectError // of all shards, in order
}

// Run runs a sharded job from its plan to its end. Every shard is worked on twice, as it may happen, and must make the
// same data; the first part counts.
func Run[J tasks.Job](t testing.TB, w *World, room job.Sharded[J], j J) Outcome {
	t.Helper()
	if err := j.Validate(); err != nil {
		t.Fatalf("the test's payload: %v", err)
	}
	var out Outcome
	out.Shards, out.Err = Plan(t, w, room, j, "")
	for _, s := range out.Shards {
		env := w.Env()
		part, err := room.Work(t.Context(), j, env, s)
		if err != nil {
			out.Err = err
			return out
		}
		out.Counts.Objects += env.Progress.Counts().Objects
		out.Counts.Bytes += env.Progress.Counts().Bytes
		out.Counts.Failed += env.Progress.Counts().Failed
		out.Errors = append(out.Errors, env.Progress.Errors()...)
		out.Parts = append(out.Parts, part)
		again(t, s, part, func() (job.Part, error) { return room.Work(t.Context(), j, w.Env(), s) })
	}
	if out.Err == nil {
		out.Result, out.Err = room.Finish(t.Context(), j, w.Env(), parts(out.Parts))
	}
	return out
}

func again(t testing.TB, s job.Shard, first job.Part, work func() (job.Part, error)) {
	t.Helper()
	second, err := work()
	if err != nil {
		t.Fatalf("shard %v, the second time: %v", s, err)
	}
	if diff := cmp.Diff(string(first.Data), string(second.Data)); diff != "" {
		t.Errorf("shard %v made other data the second time:\n%s", s, diff)
	}
}

// Plan collects the shards after a key.
func Plan[J tasks.Job](t testing.TB, w *World, room job.Sharded[J], j J, after string) (shards []job.Shard, err error) {
	t.Helper()
	err = room.Plan(t.Context(), j, w.Env(), after, func(s job.Shard) error {
		shards = append(shards, s)
		return nil
	})
	return shards, err
}

func parts(all []job.Part) iter.Seq2[job.Part, error] {
	return func(yield func(job.Part, error) bool) {
		for _, p := range all {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// Resumes checks that planning goes on after each shard as if it had never stopped.
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
		if !slices.Equal(all[i+1:], rest) {
			t.Errorf("after shard %d the plan is %v, want %v", i, rest, all[i+1:])
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
