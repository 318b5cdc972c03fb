package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

func TestRetryWorksOnTheErrorList(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := halfDone(t, r, "j")
		must[queue.Snapshot](t)(l.Heartbeat(t.Context(), queue.ProgressReport{
			Objects: 15, Bytes: 900, Failed: 3, Total: 20, Rate: 2, ETASeconds: 4,
		}))
		succeed(t, l)
		created := status(t, r, "j").Created

		want := queue.RetryTask{State: tasks.StateQueued, Payload: []byte("{}"), Queue: tasks.QueueJobs, Generation: 1}
		for range 2 {
			same(t, "task", retry(t, r, "j", 1), want)
		}
		same(t, "keys of a queued retry", jobKeys(t, r, "j"), []string{"job", "retry"})
		same(t, "status", status(t, r, "j"), tasks.Status{
			ID: "j", Kind: kind, State: tasks.StateQueued, Round: 1, Created: created,
		})
		same(t, "list", collect(t, l.RetryList(t.Context())), lines(1))
		for _, key := range []string{schema.Record, schema.Retry} {
			if r.client.TTL(t.Context(), schema.Key(key, "j")).Val() > 0 {
				t.Errorf("%s of a queued retry expires", key)
			}
		}
		h := inspect(t, r, "j")
		if !tracked(t, r, "j") || h.Generation != 1 || h.Silent > 10*time.Second || h.State != tasks.StateQueued {
			t.Errorf("%+v", h)
		}

		if old := claim(t, r, "j"); !old.Over {
			t.Errorf("the task of the first round began the second: %+v", old)
		}
		next := claimAs(t, r, asynqtask.JobRef{Job: "j", Generation: 1})
		if next.Over || next.Round != 1 || string(next.PreviousResult) != `{"n":1}` || next.Shards != 0 || next.Cursor != "" {
			t.Errorf("%+v", next)
		}
		ok(t, next.Plan(t.Context(), shard(0)))
		if s := start(t, r, ref("j", 0)); !s.Wanted || s.Resume != "" || s.Crashes != 0 {
			t.Errorf("the shards of the first round are still there: %+v", s)
		}
		want.State = tasks.StatePlanning
		same(t, "task for a late caller", retry(t, r, "j", 1), want)

		commit(t, r, ref("j", 0), queue.Checkpoint{Last: true, Objects: 1})
		ok(t, next.Publish(t.Context(), queue.End{Result: []byte(`{"n":2}`), Keep: time.Hour}))
		same(t, "keys after the second end", jobKeys(t, r, "j"), []string{"job"})
		if field(t, r, "j", schema.PreviousResult) != "" || tracked(t, r, "j") {
			t.Error("the result of the first round stays, or the job is tracked")
		}
		if e := events(t, r); len(e) != 2 || e[0].ID != "j/0/end" || e[1].ID != "j/1/end" {
			t.Errorf("events %+v", e)
		}
		if _, err := r.BeginRetry(t.Context(), "j", 2); !errors.Is(err, queue.ErrNothingToRetry) {
			t.Errorf("nothing failed in the second round: %v", err)
		}
	})
}

// The failure of one retry is no longer shown when the next one
// is queued, and when it has succeeded.
func TestRetryClearsTheFailureOfTheLastOne(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		succeed(t, halfDone(t, r, "j"))

		retry(t, r, "j", 1)
		fail(t, claimAs(t, r, asynqtask.JobRef{Job: "j", Generation: 1}))
		if s := status(t, r, "j"); s.Failure == nil || s.State != tasks.StateFailed {
			t.Errorf("after the first retry: %+v", s)
		}

		retry(t, r, "j", 2)
		if s := status(t, r, "j"); s.Failure != nil || s.State != tasks.StateQueued {
			t.Errorf("while the second retry is queued: %+v, failure %v", s, s.Failure)
		}
		succeed(t, claimAs(t, r, asynqtask.JobRef{Job: "j", Generation: 2}))
		if s := status(t, r, "j"); s.Failure != nil || s.State != tasks.StateSucceeded || s.Result == nil {
			t.Errorf("after the second retry: %+v, failure %v", s, s.Failure)
		}
	})
}

// A retry removes every field of the round before, also one that
// an older test has forgotten.
func TestRetryClearsWholeGroups(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := halfDone(t, r, "j")
		must[int](t)(r.Reaper().TakeOver(t.Context(), "j", inspect(t, r, "j"), 0))
		succeed(t, l)
		for _, f := range schema.RoundFields() {
			if f != schema.Failed && f != schema.ErrorsKept && f != schema.Result {
				ok(t, r.client.HSet(t.Context(), schema.RecordKey("j"), f, "1").Err())
			}
		}
		retry(t, r, "j", 1)
		got := r.client.HGetAll(t.Context(), schema.RecordKey("j")).Val()
		for _, f := range schema.RoundFields() {
			if v, there := got[f]; there {
				t.Errorf("%s = %q stays", f, v)
			}
			delete(got, f)
		}
		groups := schema.Groups()
		for _, name := range []string{"identity", "fence", "retry"} {
			for _, f := range groups[name] {
				delete(got, f)
			}
		}
		if len(got) > 0 {
			t.Errorf("these fields stay: %v", got)
		}
	})
}

func TestRetryIsRefused(t *testing.T) {
	ends := map[string]struct {
		end  func(*testing.T, testStore, queue.Lease)
		want error
	}{
		"running": {func(*testing.T, testStore, queue.Lease) {}, queue.ErrNotRetryable},
		"without-failures": {func(t *testing.T, _ testStore, l queue.Lease) {
			succeed(t, l)
		}, queue.ErrNothingToRetry},
		"list-is-cut": {func(t *testing.T, r testStore, l queue.Lease) {
			commit(t, r, ref(l.ID, 0), whole("", queue.ErrorsKept))
			commit(t, r, ref(l.ID, 1), whole("", 1))
			succeed(t, l)
		}, queue.ErrNotRetryable},
		"over-the-limit-but-complete": {func(t *testing.T, r testStore, l queue.Lease) {
			commit(t, r, ref(l.ID, 0), whole("", queue.ErrorsKept-1))
			commit(t, r, ref(l.ID, 1), whole("", 5))
			succeed(t, l)
		}, nil},
	}
	onEach(t, func(t *testing.T, r testStore) {
		for name, e := range ends {
			e.end(t, r, planned(t, r, name, 2))
			before := status(t, r, name)
			_, err := r.BeginRetry(t.Context(), name, 1)
			if !errors.Is(err, e.want) {
				t.Errorf("%s: %v", name, err)
			}
			if e.want != nil {
				same(t, name, status(t, r, name), before)
			}
		}
	})
}

func TestManyCallersBeginOneRetry(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		succeed(t, halfDone(t, r, "j"))
		var generations [8]int
		atOnce(len(generations), func(i int) {
			task, _ := r.BeginRetry(t.Context(), "j", 1)
			generations[i] = task.Generation
		})
		s := status(t, r, "j")
		if generations != [8]int{1, 1, 1, 1, 1, 1, 1, 1} || s.Round != 1 || !tracked(t, r, "j") {
			t.Errorf("%v, %+v", generations, s)
		}
	})
}

// The event of the last round is sent before the next round takes
// its place in the record.
func TestRetrySendsTheLastEventFirst(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l, on := halfDone(t, r, "j"), true
		r.client.AddHook(loseEvents{on: &on})
		if l.Publish(t.Context(), queue.End{Result: []byte("{}"), Keep: time.Hour}) == nil {
			t.Fatal("Publish did not notice that its event was lost")
		}
		if _, err := r.BeginRetry(t.Context(), "j", 1); err == nil {
			t.Error("a round began although the event of the last one is not sent")
		}
		on = false
		retry(t, r, "j", 1)
		if e := events(t, r); len(e) != 1 || e[0].ID != "j/0/end" || !tracked(t, r, "j") {
			t.Errorf("events %+v", e)
		}
	})
}

// A coordinator whose Publish got no answer calls it again, after
// a retry has begun.
func TestLatePublishDoesNotEndTheRetry(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := halfDone(t, r, "j")
		succeed(t, l)
		retry(t, r, "j", 1)
		err := l.Publish(t.Context(), queue.End{Result: []byte("{}"), Keep: time.Hour})
		if s := status(t, r, "j"); s.State != tasks.StateQueued || !errors.Is(err, queue.ErrFenced) {
			t.Errorf("%v, %+v", err, s)
		}
	})
}

// afterRead calls a function once, after a record was read and
// before the next call.
type afterRead struct {
	passHook
	call *func()
}

func (h afterRead) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if call := *h.call; call != nil && cmd.Name() == "hgetall" {
			*h.call = nil
			call()
		}
		return err
	}
}

// A retry begins while the job is being cancelled. The event of
// the cancel names the new round: with the ID of the round
// before, every reader would take it for a repetition.
func TestCancelMeetsRetry(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		create(t, r, "j")
		begin := func() {
			l := planned(t, r, "j", 1)
			commit(t, r, ref("j", 0), whole("", 1))
			succeed(t, l)
			retry(t, r, "j", 1)
		}
		r.client.AddHook(afterRead{call: &begin})
		before := cancel(t, r, "j").State
		e := events(t, r)
		if before != tasks.StateQueued || len(e) != 2 || e[1].ID != "j/1/end" || e[1].Type != tasks.EventCancelled {
			t.Errorf("it was %s; events %+v", before, e)
		}
	})
}

// A retry that does not succeed leaves the result and the error
// list as they were, for another retry.
func TestRetryThatFailsLosesNothing(t *testing.T) {
	ends := map[string]func(*testing.T, testStore, queue.Lease){
		"failed":    func(t *testing.T, _ testStore, l queue.Lease) { fail(t, l) },
		"cancelled": func(t *testing.T, r testStore, l queue.Lease) { cancel(t, r, l.ID) },
	}
	onEach(t, func(t *testing.T, r testStore) {
		for name, end := range ends {
			l := planned(t, r, name, 1)
			commit(t, r, ref(name, 0), whole("data", 3))
			succeed(t, l)
			retry(t, r, name, 1)
			l = claimAs(t, r, asynqtask.JobRef{Job: name, Generation: 1})
			ok(t, l.Plan(t.Context(), shard(0)))
			commit(t, r, ref(name, 0), queue.Checkpoint{To: "k", Objects: 1, Errors: lines(1)})
			end(t, r, l)

			same(t, name+": error list", collect(t, r.Errors(t.Context(), name)), lines(3))
			s := status(t, r, name)
			if string(s.Result) != `{"n":1}` || s.Progress.Failed != 3 || string(s.State) != name {
				t.Errorf("%s: %+v", name, s)
			}
			same(t, name+": keys", jobKeys(t, r, name), []string{"errors", "job"})
			if task := retry(t, r, name, 2); task.Generation != 2 {
				t.Errorf("%s: %+v", name, task)
			}
		}
	})
}

func TestSingleJobIsRetried(t *testing.T) {
	onEach(t, func(t *testing.T, r testStore) {
		l := claimSingle(t, r, "j")
		ok(t, l.Publish(t.Context(), queue.End{
			Result: []byte("{}"), Counts: &tasks.Progress{Objects: 9, Failed: 2}, Errors: lines(2), Keep: time.Hour,
		}))
		retry(t, r, "j", 1)
		same(t, "list", collect(t, l.RetryList(t.Context())), lines(2))
	})
}
