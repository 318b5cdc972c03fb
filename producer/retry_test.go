package producer_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

var corrupt = []tasks.ObjectError{
	{Key: "a.jpg", Code: "corrupt-image", Message: "short"}, {Key: "b.jpg", Code: "not-found", Message: "gone"},
}

// failing returns work at which two objects fail in the first
// round, and one in each later one. The later rounds must get the
// list of the one before.
func failing(t *testing.T) func(context.Context, queue.Lease) outcome {
	t.Helper()
	return func(ctx context.Context, l queue.Lease) outcome {
		if l.Round == 0 {
			return outcome{result: `{"entries":8,"failed":2}`, objects: 10, errors: corrupt}
		}
		var list []tasks.ObjectError
		for e, err := range l.RetryList(ctx) {
			if err != nil {
				t.Error(err)
			}
			list = append(list, e)
		}
		if len(l.PreviousResult) == 0 || l.Round == 1 && !slices.Equal(list, corrupt) {
			t.Errorf("round %d improves %s, for %v", l.Round, l.PreviousResult, list)
		}
		return outcome{result: `{"entries":9,"failed":1}`, objects: 2, errors: corrupt[:1]}
	}
}

func waitFor(t *testing.T, c *producer.Client, id string) tasks.Status {
	t.Helper()
	s, err := c.Wait(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRetry(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	work(t, o, failing(t))
	id := enqueue(t, c, manifest, producer.WithPriority(tasks.PriorityHigh))
	if s := waitFor(t, c, id); s.Progress.Failed != 2 || s.Round != 0 {
		t.Fatalf("%+v", s)
	}
	for round := 1; round < 4; round++ {
		if err := c.Retry(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		s := waitFor(t, c, id)
		r, err := producer.ResultAs[tasks.BuildManifestResult](s)
		if s.Round != round || s.Progress.Failed != 1 || r.Entries != 9 || err != nil {
			t.Errorf("round %d: %+v, %v", round, s, err)
		}
		if list := errorList(t, c, id); !slices.Equal(list, corrupt[:1]) {
			t.Errorf("round %d: %v", round, list)
		}
	}
}

// Many call at once, while the retry is queued and while it runs.
// There is only one retry.
func TestManyRetriesAtOnceAreOne(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), store(t, o)
	enqueue(t, c, manifest, producer.WithID("j"))
	if err := end(t.Context(), r, claim(t, r, "j"), outcome{result: `{}`, objects: 2, errors: corrupt}); err != nil {
		t.Fatal(err)
	}
	many := func() {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := c.Retry(t.Context(), "j"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	many()
	if s, err := c.Status(t.Context(), "j"); s.State != tasks.StateQueued || s.Round != 1 || err != nil {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := inspector(t, o).GetTaskInfo("jobs", "j:g1"); err != nil {
		t.Error(err)
	}
	release := make(chan struct{})
	var rounds atomic.Int32
	work(t, o, func(context.Context, queue.Lease) outcome {
		rounds.Add(1)
		<-release
		return outcome{result: `{}`, objects: 2}
	})
	queuetest.Eventually(t, 5*time.Second, "the retry runs", func() bool { return rounds.Load() == 1 })
	many()
	close(release)
	if s := waitFor(t, c, "j"); s.Round != 1 || rounds.Load() != 1 {
		t.Errorf("%d rounds ran: %+v", rounds.Load(), s)
	}
}

// afterStatus calls a function once, after a status was read.
type afterStatus struct{ call func() }

func (*afterStatus) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *afterStatus) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if call := h.call; call != nil && cmd.Name() == "hgetall" {
			h.call = nil
			call()
		}
		return err
	}
}

func (*afterStatus) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// Another call begins the retry, and a worker ends it, before this
// call comes to it. This one then enqueues nothing.
func TestRetryThatHasEndedIsNotEnqueued(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), store(t, o)
	enqueue(t, c, manifest, producer.WithID("j"))
	out := outcome{result: `{}`, objects: 2, errors: corrupt}
	if err := end(t.Context(), r, claim(t, r, "j"), out); err != nil {
		t.Fatal(err)
	}
	c.AddHook(&afterStatus{func() {
		_, err := r.BeginRetry(t.Context(), "j", 1)
		if err != nil {
			t.Fatal(err)
		}
		l, err := r.Claim(t.Context(), queue.ClaimRequest{
			Ref: asynqtask.JobRef{Job: "j", Generation: 1}, Kind: "build-manifest", First: tasks.StatePlanning,
		})
		if err == nil {
			err = end(t.Context(), r, l, out)
		}
		if err != nil {
			t.Fatal(err)
		}
	}})
	if err := c.Retry(t.Context(), "j"); err != nil {
		t.Fatal(err)
	}
	if s, err := c.Status(t.Context(), "j"); s.State != tasks.StateSucceeded || s.Round != 1 || err != nil {
		t.Errorf("%+v, %v", s, err)
	}
	if task, err := inspector(t, o).GetTaskInfo("jobs", "j:g1"); !errors.Is(err, asynq.ErrTaskNotFound) {
		t.Errorf("%+v, %v", task, err)
	}
}

// A job without shards is run again as a whole.
func TestRetryOfASingleJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), store(t, o)
	enqueue(t, c, manifest, producer.WithID("j"))
	publish := func(result string, failed []tasks.ObjectError) {
		t.Helper()
		l, err := r.Claim(t.Context(), queue.ClaimRequest{
			Ref: asynqtask.JobRef{Job: "j", Generation: 1}, Kind: "build-manifest", First: tasks.StateRunning,
		})
		if err == nil {
			err = l.Publish(t.Context(), queue.End{
				Result: []byte(result), Errors: failed, Keep: time.Hour,
				Counts: &tasks.Progress{Objects: 3, Failed: int64(len(failed))},
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	publish(`{"failed":2}`, corrupt)
	if err := c.Retry(t.Context(), "j"); err != nil {
		t.Fatal(err)
	}
	publish(`{"entries":3}`, nil)
	s, err := c.Status(t.Context(), "j")
	if err != nil || s.Round != 1 || s.Progress.Failed != 0 || string(s.Result) != `{"entries":3}` {
		t.Errorf("%+v, %v", s, err)
	}
	if list := errorList(t, c, "j"); list != nil {
		t.Errorf("%v", list)
	}
}

// A call has begun the retry and ended before it could enqueue
// the task. The next call enqueues it.
func TestNextCallEnqueuesTheRetry(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), store(t, o)
	enqueue(t, c, manifest, producer.WithID("j"))
	if err := end(t.Context(), r, claim(t, r, "j"), outcome{result: `{}`, objects: 2, errors: corrupt}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.BeginRetry(t.Context(), "j", 1); err != nil {
		t.Fatal(err)
	}
	if err := c.Retry(t.Context(), "j"); err != nil {
		t.Fatal(err)
	}
	if _, err := inspector(t, o).GetTaskInfo("jobs", "j:g1"); err != nil {
		t.Error(err)
	}
}

func TestRetryIsRefused(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), store(t, o)
	finish := func(id string, out outcome, options ...producer.Option) {
		t.Helper()
		enqueue(t, c, manifest, append(options, producer.WithID(id))...)
		if err := end(t.Context(), r, claim(t, r, id), out); err != nil {
			t.Fatal(err)
		}
	}
	enqueue(t, c, manifest, producer.WithID("waits"))
	foreign(t, o, "jobs", "foreign")
	claim(t, r, "runs")
	finish("clean", outcome{result: `{}`, objects: 2})
	finish("late", outcome{result: `{}`, objects: 2, errors: corrupt}, producer.WithDeadline(time.Now().Add(-time.Second)))
	for id, want := range map[string]error{
		"waits": producer.ErrNotRetryable, "foreign": producer.ErrNotRetryable, "runs": producer.ErrNotRetryable,
		"clean": producer.ErrNothingToRetry,
		"late":  producer.ErrNotRetryable, "unknown": producer.ErrNoJob,
	} {
		before, _ := c.Status(t.Context(), id)
		if err := c.Retry(t.Context(), id); !errors.Is(err, want) {
			t.Errorf("%s: %v", id, err)
		}
		if after, _ := c.Status(t.Context(), id); after.State != before.State || after.Round != 0 {
			t.Errorf("%s was %+v and is %+v", id, before, after)
		}
	}
}

func errorList(t *testing.T, c *producer.Client, id string) (list []tasks.ObjectError) {
	t.Helper()
	for e, err := range c.Errors(t.Context(), id) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

func TestErrorsAreStreamed(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	work(t, o, failing(t))
	id := enqueue(t, c, manifest)
	waitFor(t, c, id)
	if list := errorList(t, c, id); !slices.Equal(list, corrupt) {
		t.Errorf("%v", list)
	}
	if list := errorList(t, c, "unknown"); list != nil {
		t.Errorf("an unknown job: %v", list)
	}
	for e, err := range c.Errors(t.Context(), id) {
		if e != corrupt[0] || err != nil {
			t.Errorf("%+v, %v", e, err)
		}
		break // this must not panic
	}
	down := client(t, redisconn.Options{Addr: "127.0.0.1:1"})
	n := 0
	for _, err := range down.Errors(t.Context(), id) {
		if n++; !errors.Is(err, redisconn.ErrUnavailable) {
			t.Errorf("without Redis: %v", err)
		}
	}
	if n != 1 {
		t.Errorf("without Redis: %d errors", n)
	}
}

func TestResultAs(t *testing.T) {
	t.Parallel()
	s := tasks.Status{ID: "j", Kind: "build-manifest", State: tasks.StateSucceeded, Result: []byte(`{"entries":3}`)}
	if r, err := producer.ResultAs[tasks.BuildManifestResult](s); r.Entries != 3 || err != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := producer.ResultAs[tasks.VerifyConnectionResult](s); err == nil {
		t.Error("a manifest was decoded to another type")
	}
	s.State = tasks.StateFailed
	if _, err := producer.ResultAs[tasks.BuildManifestResult](s); err == nil {
		t.Error("a failed job has a result")
	}
}

// A job that failed or was cancelled runs again as a whole. Enqueuing
// it again only tells how it ended.
func TestRetryOfAJobWithoutResult(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), store(t, o)
	ends := map[string]tasks.State{"failed": tasks.StateFailed, "cancelled": tasks.StateCancelled}
	enqueue(t, c, manifest, producer.WithID("failed"))
	failure := outcome{errors: corrupt, failure: &tasks.Failure{Kind: "denied", Message: "no"}}
	if err := end(t.Context(), r, claim(t, r, "failed"), failure); err != nil {
		t.Fatal(err)
	}
	enqueue(t, c, manifest, producer.WithID("cancelled"))
	if _, err := c.Cancel(t.Context(), "cancelled"); err != nil {
		t.Fatal(err)
	}
	for id, state := range ends {
		again, err := c.Enqueue(t.Context(), manifest, producer.WithID(id))
		var ended *producer.EndedError
		if again != id || !errors.As(err, &ended) || *ended != (producer.EndedError{ID: id, State: state}) {
			t.Errorf("%s: enqueued again as %q, %v", id, again, err)
		}
	}
	work(t, o, func(_ context.Context, l queue.Lease) outcome {
		if l.Round != 1 || l.PreviousResult != nil {
			t.Errorf("round %d improves %s", l.Round, l.PreviousResult)
		}
		return outcome{result: `{"entries":8}`, objects: 10}
	})
	for id := range ends {
		for range 2 { // the second call changes nothing
			if err := c.Retry(t.Context(), id); err != nil && !errors.Is(err, producer.ErrNothingToRetry) {
				t.Fatal(err)
			}
		}
		s := waitFor(t, c, id)
		if s.State != tasks.StateSucceeded || s.Round != 1 || s.Failure != nil || s.Progress.Failed != 0 {
			t.Errorf("%s: %+v", id, s)
		}
		if list := errorList(t, c, id); list != nil {
			t.Errorf("%s: %v", id, list)
		}
		var ended *producer.EndedError
		if _, err := c.Enqueue(t.Context(), manifest, producer.WithID(id)); !errors.As(err, &ended) || ended.State != tasks.StateSucceeded {
			t.Errorf("%s: enqueued again: %v", id, err)
		}
	}
}
