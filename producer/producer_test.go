package producer_test

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

var verify = tasks.VerifyConnection{Storage: tasks.Storage{Provider: "mem", Bucket: "b"}}

func client(t *testing.T, o redisconn.Options) *producer.Client {
	c := producer.New(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func inspector(t *testing.T, o redisconn.Options) *asynq.Inspector {
	c := o.Client()
	t.Cleanup(func() { _ = c.Close() })
	return asynq.NewInspectorFromRedisClient(c)
}

func pending(t *testing.T, i *asynq.Inspector, q string) int {
	t.Helper()
	if queues, err := i.Queues(); err != nil || !slices.Contains(queues, q) {
		return 0 // a queue appears with its first task
	}
	info, err := i.GetQueueInfo(q)
	if err != nil {
		t.Fatal(err)
	}
	return info.Pending
}

func TestEnqueueOnTheKindsQueue(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	id, err := c.Enqueue(t.Context(), verify)
	if err != nil {
		t.Fatal(err)
	}
	info, err := inspector(t, o).GetTaskInfo(tasks.QueueVerify, id)
	if err != nil || info.Type != "verify-connection" || info.Retention != 24*time.Hour {
		t.Errorf("%+v, %v", info, err)
	}
	if s, err := c.Status(t.Context(), id); err != nil || s.State != tasks.StateQueued || s.Kind != "verify-connection" || s.Created.IsZero() {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestSameIDIsTheSameJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	for range 3 {
		if id, err := c.Enqueue(t.Context(), verify, producer.WithID("mine")); err != nil || id != "mine" {
			t.Fatal(id, err)
		}
	}
	if n := pending(t, inspector(t, o), tasks.QueueVerify); n != 1 {
		t.Errorf("%d tasks", n)
	}
	other := verify
	other.Need.Write = true
	for _, j := range []tasks.Job{other, tasks.BuildManifest{Source: verify.Storage}} {
		if _, err := c.Enqueue(t.Context(), j, producer.WithID("mine")); !errors.Is(err, producer.ErrIDReused) {
			t.Errorf("another job under the same ID: %v", err)
		}
	}
}

// asynq keeps archived tasks for months. When the record of a job
// has expired, its ID is free again.
func TestArchivedTaskDoesNotBlockAnID(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, i := client(t, o), inspector(t, o)
	redis := o.Client()
	defer func() { _ = redis.Close() }()
	if _, err := c.Enqueue(t.Context(), verify, producer.WithID("j")); err != nil {
		t.Fatal(err)
	}
	if err := i.ArchiveTask(tasks.QueueVerify, "j"); err != nil {
		t.Fatal(err)
	}
	if err := redis.Del(t.Context(), "stevedore:{j}:job").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Enqueue(t.Context(), verify, producer.WithID("j")); err != nil {
		t.Fatal(err)
	}
	if n := pending(t, i, tasks.QueueVerify); n != 1 {
		t.Errorf("%d tasks wait", n)
	}
}

func TestInvalidJobIsNotEnqueued(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	_, err := c.Enqueue(t.Context(), tasks.GenerateThumbnails{Size: 1, Quality: 101})
	var invalid *tasks.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Fields) != 4 {
		t.Errorf("%v", err)
	}
	if _, err := c.Enqueue(t.Context(), verify, producer.WithID("a b")); err == nil {
		t.Error("a bad ID was accepted")
	}
	if n := pending(t, inspector(t, o), tasks.QueueJobs) + pending(t, inspector(t, o), tasks.QueueVerify); n != 0 {
		t.Errorf("%d tasks", n)
	}
}

func TestRedisDown(t *testing.T) {
	t.Parallel()
	down := redisconn.Options{Addr: "127.0.0.1:1"}
	start := time.Now()
	_, err := client(t, down).Enqueue(t.Context(), verify)
	if !errors.Is(err, redisconn.ErrUnavailable) || !strings.Contains(err.Error(), down.Addr) {
		t.Errorf("%v", err)
	}
	if err == nil || !strings.Contains(err.Error(), setting.RedisURL.String()) {
		t.Errorf("the error names no setting to check: %v", err)
	}
	if took := time.Since(start); took > 6*time.Second {
		t.Errorf("gave up after %v", took)
	}
}

func TestUnknownJob(t *testing.T) {
	t.Parallel()
	c := client(t, queuetest.Embedded(t))
	if _, err := c.Status(t.Context(), "unknown"); !errors.Is(err, producer.ErrNoJob) {
		t.Errorf("Status: %v", err)
	}
	if _, err := c.Wait(t.Context(), "unknown", nil); !errors.Is(err, producer.ErrNoJob) {
		t.Errorf("Wait: %v", err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c := client(t, queuetest.Embedded(t))
	id, err := c.Enqueue(t.Context(), verify)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	seen := 0
	s, err := c.Wait(ctx, id, func(tasks.Status) { seen++; cancel() })
	if !errors.Is(err, context.Canceled) || s.State != tasks.StateQueued || seen != 1 {
		t.Errorf("%+v, %v after %d looks", s, err, seen)
	}
}

func TestResultNeedsSuccess(t *testing.T) {
	t.Parallel()
	if _, err := producer.Result(tasks.Status{ID: "j", State: tasks.StateFailed}); err == nil {
		t.Error("a failed job has a result")
	}
	r, err := producer.Result(tasks.Status{Kind: "verify-connection", State: tasks.StateSucceeded, Result: []byte(`{"ok":true,"verdict":"v","checks":[]}`)})
	if v, is := r.(tasks.VerifyConnectionResult); err != nil || !is || !v.OK {
		t.Errorf("%+v, %v", r, err)
	}
}

// A service that imports the producer pulls in no cloud SDK, no
// image code and no metrics.
func TestDependencies(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.FieldsSeq(string(out)) {
		for _, unwanted := range []string{"aws", "cloud.google.com", "azure", "image", "prometheus", "stevedore/worker", "stevedore/providers", "miniredis"} {
			if strings.Contains(dep, unwanted) {
				t.Errorf("imports %s", dep)
			}
		}
	}
}

// A status names the storages that the payload names, before and after
// a worker has the job. Without the kind it cannot.
func TestStatusNamesStorages(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), store(t, o)
	j := manifest
	j.Source.DisplayName, j.Source.Description = "Photos", "of Acme"
	to := tasks.Storage{Provider: "mem", Bucket: "out", Prefix: "x/"}
	j.Destination = &to
	enqueue(t, c, j, producer.WithID("j"), producer.WithTenant("acme"))
	foreign(t, o, "jobs", "foreign")
	want := []tasks.NamedStorage{
		{Field: "source", URL: "mem://b/", DisplayName: "Photos", Description: "of Acme"},
		{Field: "destination", URL: "mem://out/x/"},
	}
	for range 2 {
		s, err := c.Status(t.Context(), "j")
		if err != nil || s.Tenant != "acme" || !slices.Equal(s.Storages, want) {
			t.Errorf("%+v, %v", s, err)
		}
		claim(t, r, "j")
	}
	if s, err := c.Status(t.Context(), "foreign"); err != nil || len(s.Storages) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}
