package queue_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// onBoth runs a test on the embedded Redis and on a real one.
func onBoth(t *testing.T, test func(*testing.T, queue.Records)) {
	t.Parallel()
	run := func(o queue.Options) func(*testing.T) {
		return func(t *testing.T) {
			c := o.Client()
			t.Cleanup(func() { _ = c.Close() })
			test(t, queue.NewRecords(c))
		}
	}
	t.Run("embedded", func(t *testing.T) { t.Parallel(); run(queuetest.Embedded(t))(t) })
	t.Run("redis", func(t *testing.T) { t.Parallel(); run(queuetest.Start(t).Options())(t) })
}

// must ends the test at an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// planned begins a job and plans n shards of 10 objects.
func planned(t *testing.T, r queue.Records, id string, n int) queue.Claim {
	t.Helper()
	c := must[queue.Claim](t)(r.Begin(t.Context(), id, "build-manifest", []byte("{}"), tasks.StatePlanning))
	for i := range n {
		ok(t, r.Plan(t.Context(), c, shard(i)))
	}
	return c
}

func shard(i int) queue.Planned {
	return queue.Planned{Index: i, Shard: fmt.Appendf(nil, "shard %d", i), Cursor: fmt.Sprint("key ", i), Objects: 10}
}

func TestCreateTakesTheIDOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, r queue.Records) {
		for _, payload := range []string{"first", "second"} {
			e := must[queue.Existing](t)(r.Create(t.Context(), "j", "build-manifest", []byte(payload)))
			if e.Kind != "build-manifest" || string(e.Payload) != "first" || e.State != tasks.StateQueued {
				t.Errorf("%+v", e)
			}
		}
	})
}

func TestPlanSurvivesRepetitionAndRestart(t *testing.T) {
	onBoth(t, func(t *testing.T, r queue.Records) {
		c := planned(t, r, "j", 3)
		ok(t, r.Plan(t.Context(), c, shard(2))) // the answer was lost, the call repeated
		next := must[queue.Claim](t)(r.Begin(t.Context(), "j", "build-manifest", nil, tasks.StatePlanning))
		if next.Shards != 3 || next.Cursor != "key 2" || next.State != tasks.StatePlanning || !next.Started.Equal(c.Started) {
			t.Errorf("the next coordinator sees %+v", next)
		}
		s := must[tasks.Status](t)(r.Status(t.Context(), "j"))
		if s.Progress.ShardsTotal != 3 || s.Progress.ObjectsTotal != 30 {
			t.Errorf("progress %+v", s.Progress)
		}
	})
}

func TestOldCoordinatorIsFenced(t *testing.T) {
	onBoth(t, func(t *testing.T, r queue.Records) {
		old := planned(t, r, "j", 1)
		must[queue.Claim](t)(r.Begin(t.Context(), "j", "build-manifest", nil, tasks.StatePlanning))
		for name, err := range map[string]error{
			"plan":     r.Plan(t.Context(), old, shard(1)),
			"step":     r.Step(t.Context(), old, tasks.StatePlanning, tasks.StateRunning),
			"progress": r.Progress(t.Context(), old, tasks.Progress{}),
			"publish":  r.Publish(t.Context(), old, queue.End{Result: []byte("{}"), Keep: time.Hour}),
		} {
			if !errors.Is(err, queue.ErrFenced) {
				t.Errorf("%s by the old coordinator: %v", name, err)
			}
		}
	})
}

// The same shard handed in by two workers counts once, and the first part stays.
func TestFirstCommitWins(t *testing.T) {
	onBoth(t, func(t *testing.T, r queue.Records) {
		planned(t, r, "j", 2)
		ref := queue.ShardRef{Job: "j", Shard: 1}
		commit := func(part string) bool {
			return must[bool](t)(r.Commit(t.Context(), ref, queue.Commit{
				Part: []byte(part), Errors: []tasks.ObjectError{{Key: part}}, Counts: tasks.Progress{Objects: 10, Bytes: 5, Failed: 1},
			}))
		}
		if !commit("first") || commit("second") {
			t.Error("not exactly the first commit counted")
		}
		s := must[tasks.Status](t)(r.Status(t.Context(), "j"))
		if s.Progress.Objects != 10 || s.Progress.Bytes != 5 || s.Progress.Failed != 1 || s.Progress.Shards != 1 {
			t.Errorf("counted twice: %+v", s.Progress)
		}
		if undone := must[[]int](t)(r.Undone(t.Context(), "j")); !slices.Equal(undone, []int{0}) {
			t.Errorf("undone %v", undone)
		}
		ref.Shard = 0
		commit("zero")
		var parts []string
		for p, err := range r.Parts(t.Context(), "j", 2) {
			ok(t, err)
			parts = append(parts, string(p))
		}
		if !slices.Equal(parts, []string{"zero", "first"}) {
			t.Errorf("parts %q", parts)
		}
		errs := must[[]tasks.ObjectError](t)(r.Errors(t.Context(), "j"))
		if len(errs) != 2 || errs[0].Key != "zero" || errs[1].Key != "first" {
			t.Errorf("errors %v", errs)
		}
	})
}

func TestMissingPartIsNoticed(t *testing.T) {
	onBoth(t, func(t *testing.T, r queue.Records) {
		planned(t, r, "j", 1)
		for _, err := range r.Parts(t.Context(), "j", 1) {
			if err == nil {
				t.Error("a part that is not there was read")
			}
		}
	})
}

func TestPublishEndsTheJobOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, r queue.Records) {
		c := planned(t, r, "j", 1)
		ref := queue.ShardRef{Job: "j", Shard: 0}
		wanted := func() bool { return must[queue.Assignment](t)(r.Assignment(t.Context(), ref)).Wanted }
		if !wanted() {
			t.Error("a planned shard is not wanted")
		}
		ok(t, r.Publish(t.Context(), c, queue.End{Result: []byte(`{"n":1}`), Keep: time.Hour}))
		ok(t, r.Publish(t.Context(), c, queue.End{Failure: &tasks.Failure{Kind: "late"}, Keep: time.Hour}))
		s := must[tasks.Status](t)(r.Status(t.Context(), "j"))
		if s.State != tasks.StateSucceeded || string(s.Result) != `{"n":1}` || s.Failure != nil || s.Finished.IsZero() {
			t.Errorf("%+v", s)
		}
		if must[bool](t)(r.Commit(t.Context(), ref, queue.Commit{})) || wanted() {
			t.Error("a shard counts after the end")
		}
		again := must[queue.Claim](t)(r.Begin(t.Context(), "j", "build-manifest", nil, tasks.StatePlanning))
		if again.State != tasks.StateSucceeded {
			t.Errorf("a job that has ended began again: %+v", again)
		}
	})
}

func TestFaultStopsShards(t *testing.T) {
	onBoth(t, func(t *testing.T, r queue.Records) {
		planned(t, r, "j", 2)
		for _, kind := range []string{"denied", "later"} {
			ok(t, r.Fail(t.Context(), "j", tasks.Failure{Kind: kind}))
		}
		if f := must[*tasks.Failure](t)(r.Fault(t.Context(), "j")); f == nil || f.Kind != "denied" {
			t.Errorf("fault %+v", f)
		}
		if must[queue.Assignment](t)(r.Assignment(t.Context(), queue.ShardRef{Job: "j", Shard: 1})).Wanted {
			t.Error("a shard of a job with a fault is wanted")
		}
	})
}

func TestErrorListIsCapped(t *testing.T) {
	onBoth(t, func(t *testing.T, r queue.Records) {
		planned(t, r, "j", 15)
		lines := make([]tasks.ObjectError, 1000)
		for i := range lines {
			lines[i] = tasks.ObjectError{Key: fmt.Sprint(i), Code: "corrupt-image"}
		}
		for i := range 15 {
			must[bool](t)(r.Commit(t.Context(), queue.ShardRef{Job: "j", Shard: i}, queue.Commit{Errors: lines, Counts: tasks.Progress{Failed: 1000}}))
		}
		if n := len(must[[]tasks.ObjectError](t)(r.Errors(t.Context(), "j"))); n != queue.ErrorsKept {
			t.Errorf("%d lines kept", n)
		}
		if s := must[tasks.Status](t)(r.Status(t.Context(), "j")); s.Progress.Failed != 15_000 {
			t.Errorf("%d counted", s.Progress.Failed)
		}
	})
}

func TestUnknownJob(t *testing.T) {
	onBoth(t, func(t *testing.T, r queue.Records) {
		if _, err := r.Status(t.Context(), "nobody"); !errors.Is(err, queue.ErrNoJob) {
			t.Errorf("%v", err)
		}
		if must[queue.Assignment](t)(r.Assignment(t.Context(), queue.ShardRef{Job: "nobody"})).Wanted {
			t.Error("a shard of no job is wanted")
		}
	})
}

func TestAwayIsTold(t *testing.T) {
	t.Parallel()
	c := queue.Options{Addr: "127.0.0.1:1"}.Client()
	defer func() { _ = c.Close() }()
	if _, err := queue.NewRecords(c).Status(t.Context(), "j"); !errors.Is(err, queue.ErrAway) {
		t.Errorf("%v", err)
	}
}

// What is in Redis is compressed, or a big job would not fit.
func TestPartsAreCompressed(t *testing.T) {
	t.Parallel()
	c := queuetest.Embedded(t).Client()
	defer func() { _ = c.Close() }()
	r := queue.NewRecords(c)
	planned(t, r, "j", 1)
	part := bytes.Repeat([]byte(`{"name":"images/000001","extension":".jpg","width":640,"height":480}`+"\n"), 1000)
	must[bool](t)(r.Commit(t.Context(), queue.ShardRef{Job: "j"}, queue.Commit{Part: part}))
	if n := len(c.HGet(t.Context(), "stevedore:{j}:parts", "0").Val()); n == 0 || n > len(part)/20 {
		t.Errorf("%d bytes for %d", n, len(part))
	}
}
