package producer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

var manifest = tasks.BuildManifest{Source: tasks.Storage{Provider: "mem", Bucket: "b"}}

func enqueue(t *testing.T, c *producer.Client, j tasks.Job, options ...producer.Option) string {
	t.Helper()
	id, err := c.Enqueue(t.Context(), j, options...)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestTermsOfTheCallReplaceThoseOfThePayload(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	deadline := time.Now().Add(time.Hour)
	j := manifest
	j.Terms = tasks.Terms{Tenant: "theirs", Priority: tasks.PriorityHigh}
	id := enqueue(t, client(t, o), j, producer.WithPriority(tasks.PriorityLow), producer.WithTenant("acme"), producer.WithDeadline(deadline))
	info, err := inspector(t, o).GetTaskInfo("jobs-low", id)
	if err != nil {
		t.Fatal(err)
	}
	kind, _ := tasks.Lookup(info.Type)
	got, err := kind.Decode(info.Payload)
	if err != nil {
		t.Fatal(err)
	}
	terms := got.JobTerms()
	if terms.Tenant != "acme" || terms.Priority != tasks.PriorityLow || !terms.Deadline.Equal(deadline) {
		t.Errorf("%+v", terms)
	}
	if j.Tenant != "theirs" {
		t.Error("the caller's job was changed")
	}
}

func TestPriorityOfThePayload(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	j := manifest
	j.Priority = tasks.PriorityHigh
	id := enqueue(t, client(t, o), j, producer.WithTenant("acme"))
	if _, err := inspector(t, o).GetTaskInfo("jobs-high", id); err != nil {
		t.Error(err)
	}
}

func TestWrongTermsAreFaultsOfThePayload(t *testing.T) {
	t.Parallel()
	_, err := client(t, redisconn.Options{Addr: "127.0.0.1:1"}).Enqueue(t.Context(), manifest, producer.WithPriority("urgent"), producer.WithTenant("a b"))
	var invalid *tasks.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Fields) != 2 {
		t.Errorf("%v", err)
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	for range 2 {
		enqueue(t, c, manifest, producer.WithID("later"), producer.WithDelay(time.Hour))
	}
	info, err := inspector(t, o).GetTaskInfo("jobs", "later")
	if err != nil || info.State != asynq.TaskStateScheduled || time.Until(info.NextProcessAt) < 50*time.Minute {
		t.Errorf("%+v, %v", info, err)
	}
	if s, err := c.Status(t.Context(), "later"); err != nil || s.State != tasks.StateQueued {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestDelayedJobRuns(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	start := time.Now()
	id := enqueue(t, c, manifest, producer.WithDelay(time.Second))
	work(t, o, func(context.Context, queue.Lease) outcome { return outcome{result: `{}`} })
	s, err := c.Wait(t.Context(), id, nil)
	if err != nil || s.State != tasks.StateSucceeded || s.Finished.Sub(start) < time.Second {
		t.Errorf("%+v, %v", s, err)
	}
}

// A caller that got no answer and calls again may have another
// deadline by then. It is the same job.
func TestSameJobWithOtherScheduling(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	first := time.Now().Add(time.Hour)
	enqueue(t, c, manifest, producer.WithID("mine"), producer.WithTenant("acme"), producer.WithDeadline(first))
	enqueue(t, c, manifest, producer.WithID("mine"), producer.WithTenant("acme"), producer.WithDeadline(first.Add(time.Second)),
		producer.WithPriority(tasks.PriorityHigh))
	if n, high := pending(t, inspector(t, o), "jobs"), pending(t, inspector(t, o), "jobs-high"); n != 1 || high != 0 {
		t.Errorf("%d tasks on jobs, %d on jobs-high", n, high)
	}
	_, err := c.Enqueue(t.Context(), manifest, producer.WithID("mine"), producer.WithTenant("other"))
	if !errors.Is(err, producer.ErrIDReused) {
		t.Errorf("another tenant's job under the same ID: %v", err)
	}
}

// When a worker has given the job to a later generation of its
// task, enqueuing again completes that one.
func TestEnqueueAgainKeepsTheGeneration(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, i, r := client(t, o), inspector(t, o), store(t, o)
	j := manifest
	j.Priority = tasks.PriorityHigh
	enqueue(t, c, j, producer.WithID("j"))
	claim(t, r, "j")
	takeOver(t, r, "j")
	enqueue(t, c, j, producer.WithID("j"))
	if _, err := i.GetTaskInfo("jobs-high", "j:g1"); err != nil {
		t.Error(err)
	}
}

func TestArchivedTaskOnAnotherQueueDoesNotBlockAnID(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, i := client(t, o), inspector(t, o)
	redis := o.Client()
	defer func() { _ = redis.Close() }()
	low := producer.WithPriority(tasks.PriorityLow)
	enqueue(t, c, manifest, producer.WithID("j"), low)
	if err := i.ArchiveTask("jobs-low", "j"); err != nil {
		t.Fatal(err)
	}
	if err := redis.Del(t.Context(), "stevedore:{j}:job").Err(); err != nil {
		t.Fatal(err)
	}
	enqueue(t, c, manifest, producer.WithID("j"), low)
	if n := pending(t, i, "jobs-low"); n != 1 {
		t.Errorf("%d tasks wait", n)
	}
}

// foreign enqueues a job as another language does: a task without
// a record.
func foreign(t *testing.T, o redisconn.Options, q, id string, options ...asynq.Option) {
	t.Helper()
	c := asynq.NewClient(o)
	defer func() { _ = c.Close() }()
	task := asynq.NewTask("build-manifest", []byte(`{"source":{"provider":"mem","bucket":"b"}}`))
	if _, err := c.EnqueueContext(t.Context(), task, append(options, asynq.TaskID(id), asynq.Queue(q))...); err != nil {
		t.Fatal(err)
	}
}

func TestStatusOfAForeignJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	for _, q := range []string{"jobs", "jobs-high", "jobs-low"} {
		foreign(t, o, q, "on-"+q)
		s, err := c.Status(t.Context(), "on-"+q)
		if err != nil || s.State != tasks.StateQueued || s.Kind != "build-manifest" {
			t.Errorf("on %s: %+v, %v", q, s, err)
		}
	}
}

// Kinds of the caller's own are enqueued like the built-in ones.
func TestOwnKind(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	own := tasks.NewKind[countJob, countResult](tasks.Policy{
		Queue: tasks.QueueExports, Timeout: time.Minute, Attempts: 1, Keep: time.Hour,
	})
	c := producer.New(o, producer.WithKinds(own))
	t.Cleanup(func() { _ = c.Close() })
	work(t, o, func(context.Context, queue.Lease) outcome { return outcome{result: `{"n":3}`} })
	s := waitFor(t, c, enqueue(t, c, countJob{Terms: tasks.Terms{Priority: tasks.PriorityLow}}))
	if r, err := producer.ResultAs[countResult](s); r.N != 3 || err != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := c.Result(s); r != (countResult{3}) || err != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := producer.Result(s); err == nil {
		t.Error("a result of an unknown kind was decoded")
	}
	if _, err := client(t, o).Enqueue(t.Context(), countJob{}); err == nil {
		t.Error("a client enqueued a kind that it does not know")
	}
}

// countJob is a kind of job that only this test knows.
type countJob struct{ tasks.Terms }

func (countJob) Kind() string    { return "count" }
func (countJob) Validate() error { return nil }

type countResult struct {
	N int `json:"n"`
}

func (countResult) Kind() string    { return "count" }
func (countResult) Summary() string { return "counted" }
