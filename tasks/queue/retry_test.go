package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

func TestReopenWorksOnTheErrorList(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := lived(t, r, "j")
		must[queue.View](t)(r.Look(t.Context(), c, queue.Shown{Objects: 15, Bytes: 900, Failed: 3, Total: 20, Rate: 2, ETASeconds: 4}))
		succeed(t, r, c)
		created := status(t, r, "j").Created

		for range 2 {
			if g := must[int](t)(r.Reopen(t.Context(), "j", 1)); g != 1 {
				t.Errorf("generation %d", g)
			}
		}
		same(t, "keys of a job to retry", jobKeys(t, r, "j"), []string{"job", "retry"})
		same(t, "status", status(t, r, "j"), tasks.Status{ID: "j", Kind: kind, State: tasks.StateQueued, Round: 1, Created: created})
		same(t, "to retry", collect(t, r.ToRetry(t.Context(), "j")), lines(1))
		if r.client.TTL(t.Context(), "stevedore:{j}:job").Val() > 0 || r.client.TTL(t.Context(), "stevedore:{j}:retry").Val() > 0 || !tracked(t, r, "j") {
			t.Error("a job under way is not looked after, or expires")
		}
		if p := must[queue.Pulse](t)(r.Pulse(t.Context(), "j")); p.Generation != 1 || p.Silent > 10*time.Second || p.State != tasks.StateQueued {
			t.Errorf("%+v", p)
		}

		if old := begin(t, r, "j"); !old.Over {
			t.Errorf("the task of the first round began the second: %+v", old)
		}
		next := must[queue.Claim](t)(r.Begin(t.Context(), queue.JobRef{Job: "j", Generation: 1}, kind, nil, tasks.StatePlanning))
		if next.Over || next.Round != 1 || string(next.Amends) != `{"n":1}` || next.Shards != 0 || next.Cursor != "" {
			t.Errorf("%+v", next)
		}
		ok(t, r.Plan(t.Context(), next, shard(0)))
		if a := start(t, r, ref("j", 0)); !a.Wanted || a.Resume != "" || a.Crashes != 0 {
			t.Errorf("the shards of the first round were not forgotten: %+v", a)
		}
		if g := must[int](t)(r.Reopen(t.Context(), "j", 1)); g != 1 { // a caller who is late
			t.Errorf("generation %d", g)
		}
		commit(t, r, ref("j", 0), queue.Piece{Last: true, Objects: 1, Budget: budget})
		ok(t, r.Publish(t.Context(), next, queue.End{Result: []byte(`{"n":2}`), Keep: time.Hour}))
		same(t, "keys after the second end", jobKeys(t, r, "j"), []string{"job"})
		if field(t, r, "j", "amends") != "" || tracked(t, r, "j") {
			t.Error("the result of the first round stays, or the job is looked after")
		}
		if e := events(t, r); len(e) != 2 || e[0].ID != "j/0/end" || e[1].ID != "j/1/end" {
			t.Errorf("events %+v", e)
		}
		if _, err := r.Reopen(t.Context(), "j", 2); !errors.Is(err, queue.ErrNothingToRetry) {
			t.Errorf("nothing failed in the second round: %v", err)
		}
	})
}

func TestReopenIsRefused(t *testing.T) {
	ends := map[string]struct {
		end  func(*testing.T, room, queue.Claim)
		want error
	}{
		"running": {func(*testing.T, room, queue.Claim) {}, queue.ErrNotRetryable},
		"failed": {func(t *testing.T, r room, c queue.Claim) {
			commit(t, r, ref(c.ID, 0), whole("", 1))
			ok(t, r.Publish(t.Context(), c, queue.End{Failure: &tasks.Failure{Kind: "denied"}, Keep: time.Hour}))
		}, queue.ErrNotRetryable},
		"cancelled": {func(t *testing.T, r room, c queue.Claim) {
			must[tasks.State](t)(r.Cancel(t.Context(), c.ID, time.Hour))
		}, queue.ErrNotRetryable},
		"without-failures": {func(t *testing.T, r room, c queue.Claim) { succeed(t, r, c) }, queue.ErrNothingToRetry},
		"truncated": {func(t *testing.T, r room, c queue.Claim) {
			commit(t, r, ref(c.ID, 0), whole("", queue.ErrorsKept))
			commit(t, r, ref(c.ID, 1), whole("", 1))
			succeed(t, r, c)
		}, queue.ErrNotRetryable},
		"over-the-cap-but-whole": {func(t *testing.T, r room, c queue.Claim) {
			commit(t, r, ref(c.ID, 0), whole("", queue.ErrorsKept-1))
			commit(t, r, ref(c.ID, 1), whole("", 5))
			succeed(t, r, c)
		}, nil},
	}
	onEach(t, func(t *testing.T, r room) {
		for name, e := range ends {
			e.end(t, r, planned(t, r, name, 2))
			before := status(t, r, name)
			_, err := r.Reopen(t.Context(), name, 1)
			if !errors.Is(err, e.want) {
				t.Errorf("%s: %v", name, err)
			}
			if e.want != nil {
				same(t, name, status(t, r, name), before)
			}
		}
	})
}

func TestManyCallersReopenOneRound(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		succeed(t, r, lived(t, r, "j"))
		var generations [8]int
		atOnce(len(generations), func(i int) { generations[i], _ = r.Reopen(t.Context(), "j", 1) })
		if generations != [8]int{1, 1, 1, 1, 1, 1, 1, 1} || status(t, r, "j").Round != 1 || !tracked(t, r, "j") {
			t.Errorf("%v, %+v", generations, status(t, r, "j"))
		}
	})
}

// An end whose event was not sent yet is told before the next round takes its
// place.
func TestReopenSendsTheLastEventFirst(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c, on := lived(t, r, "j"), true
		r.client.AddHook(lost{&on})
		if r.Publish(t.Context(), c, queue.End{Result: []byte("{}"), Keep: time.Hour}) == nil {
			t.Fatal("a lost event was not noticed")
		}
		if _, err := r.Reopen(t.Context(), "j", 1); err == nil {
			t.Error("a round began whose predecessor's end is not told")
		}
		on = false
		must[int](t)(r.Reopen(t.Context(), "j", 1))
		if e := events(t, r); len(e) != 1 || e[0].ID != "j/0/end" {
			t.Errorf("events %+v", e)
		}
	})
}

// A coordinator that was not told that its end counted tries again, after a
// retry has begun.
func TestLatePublishDoesNotEndTheRetry(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := lived(t, r, "j")
		succeed(t, r, c)
		must[int](t)(r.Reopen(t.Context(), "j", 1))
		err := r.Publish(t.Context(), c, queue.End{Result: []byte("{}"), Keep: time.Hour})
		if s := status(t, r, "j"); s.State != tasks.StateQueued || !errors.Is(err, queue.ErrFenced) {
			t.Errorf("%v, %+v", err, s)
		}
	})
}

// between does something, once, after a record was read and before anything
// else.
type between struct{ something *func() }

func (between) DialHook(next redis.DialHook) redis.DialHook { return next }

func (between) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h between) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if do := *h.something; do != nil && cmd.Name() == "hgetall" {
			*h.something = nil
			do()
		}
		return err
	}
}

// The event of a cancel names the round that was cancelled, although the
// round began while it was being cancelled: under the name of the round
// before, everybody would take it for a repetition.
func TestCancelMeetsReopen(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		must[queue.Existing](t)(r.Create(t.Context(), "j", kind, nil))
		reopen := func() {
			c := planned(t, r, "j", 1)
			commit(t, r, ref("j", 0), whole("", 1))
			succeed(t, r, c)
			must[int](t)(r.Reopen(t.Context(), "j", 1))
		}
		r.client.AddHook(between{&reopen})
		had := must[tasks.State](t)(r.Cancel(t.Context(), "j", time.Hour))
		if e := events(t, r); had != tasks.StateQueued || len(e) != 2 || e[1].ID != "j/1/end" || e[1].Type != tasks.EventCancelled {
			t.Errorf("it was %s; events %+v", had, e)
		}
	})
}

// A retry that comes to nothing leaves the result and the error list that it
// was to amend, for another one.
func TestRetryThatFailsLosesNothing(t *testing.T) {
	ends := map[string]func(*testing.T, room, queue.Claim){
		"failed": func(t *testing.T, r room, c queue.Claim) {
			ok(t, r.Publish(t.Context(), c, queue.End{Failure: &tasks.Failure{Kind: "denied"}, Keep: time.Hour}))
		},
		"cancelled": func(t *testing.T, r room, c queue.Claim) {
			must[tasks.State](t)(r.Cancel(t.Context(), c.ID, time.Hour))
		},
	}
	onEach(t, func(t *testing.T, r room) {
		for name, end := range ends {
			succeed(t, r, lived(t, r, name))
			failed := status(t, r, name).Progress.Failed
			must[int](t)(r.Reopen(t.Context(), name, 1))
			c := must[queue.Claim](t)(r.Begin(t.Context(), queue.JobRef{Job: name, Generation: 1}, kind, nil, tasks.StatePlanning))
			ok(t, r.Plan(t.Context(), c, shard(0)))
			commit(t, r, ref(name, 0), queue.Piece{To: "k", Objects: 1, Errors: lines(1), Budget: budget})
			end(t, r, c)
			same(t, name+": error list", collect(t, r.Errors(t.Context(), name)), lines(1))
			if s := status(t, r, name); string(s.Result) != `{"n":1}` || s.Progress.Failed != failed || string(s.State) != name {
				t.Errorf("%s: %+v", name, s)
			}
			same(t, name+": keys", jobKeys(t, r, name), []string{"errors", "job"})
			if g := must[int](t)(r.Reopen(t.Context(), name, 2)); g != 2 {
				t.Errorf("%s: generation %d", name, g)
			}
		}
	})
}

func TestSingleJobIsReopened(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		c := must[queue.Claim](t)(r.Begin(t.Context(), queue.JobRef{Job: "j"}, "export-annotations", nil, tasks.StateRunning))
		ok(t, r.Publish(t.Context(), c, queue.End{
			Result: []byte("{}"), Counts: &tasks.Progress{Objects: 9, Failed: 2}, Errors: lines(2), Keep: time.Hour,
		}))
		must[int](t)(r.Reopen(t.Context(), "j", 1))
		same(t, "to retry", collect(t, r.ToRetry(t.Context(), "j")), lines(2))
	})
}

// The failure of one retry is no longer shown when the next one is queued,
// and when it has succeeded.
func TestRetryForgetsTheFailureOfTheLastOne(t *testing.T) {
	onEach(t, func(t *testing.T, r room) {
		succeed(t, r, lived(t, r, "j"))

		must[int](t)(r.Reopen(t.Context(), "j", 1))
		first := must[queue.Claim](t)(r.Begin(t.Context(), queue.JobRef{Job: "j", Generation: 1}, kind, nil, tasks.StatePlanning))
		ok(t, r.Publish(t.Context(), first, queue.End{Failure: &tasks.Failure{Kind: "denied"}, Keep: time.Hour}))
		if s := status(t, r, "j"); s.Failure == nil || s.State != tasks.StateFailed {
			t.Errorf("after the first retry: %+v", s)
		}

		must[int](t)(r.Reopen(t.Context(), "j", 2))
		if s := status(t, r, "j"); s.Failure != nil || s.State != tasks.StateQueued {
			t.Errorf("while the second retry is queued: %+v, failure %v", s, s.Failure)
		}
		second := must[queue.Claim](t)(r.Begin(t.Context(), queue.JobRef{Job: "j", Generation: 2}, kind, nil, tasks.StatePlanning))
		succeed(t, r, second)
		if s := status(t, r, "j"); s.Failure != nil || s.State != tasks.StateSucceeded || s.Result == nil {
			t.Errorf("after the second retry: %+v, failure %v", s, s.Failure)
		}
	})
}
