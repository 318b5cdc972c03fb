package producer_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// failing is work at which two objects fail in the first round, and one in
// each later one, of those on the list alone.
func failing(t *testing.T, r queue.Records) func(context.Context, queue.Claim) outcome {
	return func(ctx context.Context, c queue.Claim) outcome {
		if c.Round == 0 {
			return outcome{result: `{"entries":8,"failed":2}`, objects: 10, errors: corrupt}
		}
		var list []tasks.ObjectError
		for e, err := range r.ToRetry(ctx, c.ID) {
			if err != nil {
				t.Error(err)
			}
			list = append(list, e)
		}
		if len(c.Amends) == 0 || c.Round == 1 && !slices.Equal(list, corrupt) {
			t.Errorf("round %d amends %s, for %v", c.Round, c.Amends, list)
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
	work(t, o, failing(t, records(t, o)))
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

// Many ask at once, while the retry waits and while it runs: there is one.
func TestRetryAtOnceIsOneRetry(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), records(t, o)
	enqueue(t, c, manifest, producer.WithID("j"))
	if err := end(t.Context(), r, begin(t, r, "j"), outcome{result: `{}`, objects: 2, errors: corrupt}); err != nil {
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
	work(t, o, func(context.Context, queue.Claim) outcome {
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

// A job without shards is run again as a whole.
func TestRetryOfASingleJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), records(t, o)
	enqueue(t, c, manifest, producer.WithID("j"))
	publish := func(result string, failed []tasks.ObjectError) {
		t.Helper()
		claim, err := r.Begin(t.Context(), asynqtask.JobRef{Job: "j", Generation: 1}, "build-manifest", nil, tasks.StateRunning)
		if err == nil {
			err = r.Publish(t.Context(), claim, queue.End{
				Result: []byte(result), Counts: &tasks.Progress{Objects: 3, Failed: int64(len(failed))}, Errors: failed, Keep: time.Hour,
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

// The first call got no further than the record; the next one brings the
// task.
func TestRetryAgainCompletesARetry(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), records(t, o)
	enqueue(t, c, manifest, producer.WithID("j"))
	if err := end(t.Context(), r, begin(t, r, "j"), outcome{result: `{}`, objects: 2, errors: corrupt}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Reopen(t.Context(), "j", 1); err != nil {
		t.Fatal(err)
	}
	if err := c.Retry(t.Context(), "j"); err != nil {
		t.Fatal(err)
	}
	if _, err := inspector(t, o).GetTaskInfo("jobs", "j:g1"); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeRetried(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), records(t, o)
	finish := func(id string, out outcome, options ...producer.Option) {
		t.Helper()
		enqueue(t, c, manifest, append(options, producer.WithID(id))...)
		if err := end(t.Context(), r, begin(t, r, id), out); err != nil {
			t.Fatal(err)
		}
	}
	enqueue(t, c, manifest, producer.WithID("waits"))
	foreign(t, o, "jobs", "foreign")
	begin(t, r, "runs")
	finish("clean", outcome{result: `{}`, objects: 2})
	finish("failed", outcome{failure: &tasks.Failure{Kind: "denied", Message: "no"}})
	finish("late", outcome{result: `{}`, objects: 2, errors: corrupt}, producer.WithDeadline(time.Now().Add(-time.Second)))
	for id, want := range map[string]error{
		"waits": producer.ErrNotRetryable, "foreign": producer.ErrNotRetryable, "runs": producer.ErrNotRetryable,
		"clean": producer.ErrNothingToRetry, "failed": producer.ErrNotRetryable, "late": producer.ErrNotRetryable, "nobody": producer.ErrNoJob,
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
	work(t, o, failing(t, records(t, o)))
	id := enqueue(t, c, manifest)
	waitFor(t, c, id)
	if list := errorList(t, c, id); !slices.Equal(list, corrupt) {
		t.Errorf("%v", list)
	}
	if list := errorList(t, c, "nobody"); list != nil {
		t.Errorf("an unknown job: %v", list)
	}
	for e, err := range c.Errors(t.Context(), id) {
		if e != corrupt[0] || err != nil {
			t.Errorf("%+v, %v", e, err)
		}
		break // must not panic
	}
	away := client(t, redisconn.Options{Addr: "127.0.0.1:1"})
	n := 0
	for _, err := range away.Errors(t.Context(), id) {
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
		t.Error("a manifest is no diagnosis")
	}
	s.State = tasks.StateFailed
	if _, err := producer.ResultAs[tasks.BuildManifestResult](s); err == nil {
		t.Error("a failed job has a result")
	}
}
