package worker_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

type verifyRun = func(context.Context, tasks.VerifyConnection, job.Env) (tasks.Result, error)

// failing runs into the errors one after the other, and then succeeds.
func failing(runs *atomic.Int32, errs ...error) verifyRun {
	return func(context.Context, tasks.VerifyConnection, job.Env) (tasks.Result, error) {
		if n := int(runs.Add(1)); n <= len(errs) {
			return nil, errs[n-1]
		}
		return tasks.VerifyConnectionResult{OK: true, Verdict: "fine"}, nil
	}
}

func TestFates(t *testing.T) {
	t.Parallel()
	denied := &providers.Error{Op: "list", Bucket: "b", Kind: providers.Denied, Code: "AccessDenied", Fix: "Grant s3:ListBucket."}
	busy := &providers.Error{Op: "list", Bucket: "b", Kind: providers.Throttled, RetryAfter: time.Millisecond}
	away := &providers.Error{Op: "list", Bucket: "b", Kind: providers.Unavailable, Detail: "connection reset"}
	for _, c := range []struct {
		name    string
		errs    []error
		runs    int32
		failure *tasks.Failure
	}{
		{"success", nil, 1, nil},
		{"denied ends it at once", []error{denied}, 1, &tasks.Failure{
			Kind: "denied", Code: "AccessDenied", Message: "list bucket b: denied: AccessDenied", Fix: "Grant s3:ListBucket.",
		}},
		{"throttling uses up no attempt", []error{busy, busy, busy}, 4, nil},
		{"an outage is tried again", []error{away}, 2, nil},
		{"attempts are counted", []error{away, away, away}, 2, &tasks.Failure{
			Kind: "unavailable", Message: "list bucket b: unavailable: connection reset",
			Fix: "Check that the worker reaches the endpoint; the cloud may be having trouble.",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := queuetest.Embedded(t)
			var runs atomic.Int32
			start(t, config(t, o), jobs{verify: failing(&runs, c.errs...)})
			cl := client(t, o)
			enqueue(t, cl, verify, "v")
			s := wait(t, cl, "v", 30*time.Second)
			if runs.Load() != c.runs {
				t.Errorf("%d runs, want %d", runs.Load(), c.runs)
			}
			if (s.Failure == nil) != (c.failure == nil) || s.Failure != nil && *s.Failure != *c.failure {
				t.Errorf("failure %+v, want %+v", s.Failure, c.failure)
			}
		})
	}
}

func TestPanicEndsTheJobAndNotTheWorker(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	var runs atomic.Int32
	start(t, config(t, o), jobs{verify: func(ctx context.Context, _ tasks.VerifyConnection, _ job.Env) (tasks.Result, error) {
		switch runs.Add(1) {
		case 1:
			panic("boom")
		case 2: // in a goroutine, which would take the whole process along
			_, err := job.Each(ctx, []int{1}, 1, func(context.Context, int) (int, error) { panic("boom") })
			return nil, err
		}
		return tasks.VerifyConnectionResult{}, nil
	}})
	c := client(t, o)
	enqueue(t, c, verify, "bad")
	if s := wait(t, c, "bad", 30*time.Second); s.Failure == nil || s.Failure.Kind != "internal" {
		t.Errorf("failure %+v", s.Failure)
	}
	enqueue(t, c, verify, "good")
	if s := wait(t, c, "good", 30*time.Second); s.State != tasks.StateSucceeded {
		t.Errorf("the next job: %+v", s)
	}
}

// One shard that can never be done fails the job with its reason; the others
// are not done for nothing.
func TestShardFailureFailsTheJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	m := &counting{shards: 500, work: func(_ context.Context, _ job.Env, s job.Shard) error {
		if s.Through == "5" {
			return &providers.Error{Op: "get", Bucket: "b", Key: "x", Kind: providers.Denied, Code: "AccessDenied", Fix: "Grant it."}
		}
		return nil
	}}
	start(t, config(t, o), jobs{manifest: m})
	c := client(t, o)
	enqueue(t, c, manifest, "m")
	s := wait(t, c, "m", 30*time.Second)
	if s.State != tasks.StateFailed || s.Failure == nil || s.Failure.Code != "AccessDenied" || s.Failure.Fix != "Grant it." {
		t.Errorf("ended as %s: %+v", s.State, s.Failure)
	}
	if s.Progress.Shards == 500 {
		t.Error("all the other shards were done")
	}
}

// raw enqueues a task as a program in another language would, with whatever
// type and payload.
func raw(t *testing.T, o redisconn.Options, kind, id, payload string) *asynq.Inspector {
	t.Helper()
	redis := o.Client()
	t.Cleanup(func() { _ = redis.Close() })
	_, err := asynq.NewClientFromRedisClient(redis).EnqueueContext(t.Context(),
		asynq.NewTask(kind, []byte(payload)), asynq.TaskID(id), asynq.Queue(tasks.QueueVerify), asynq.Retention(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return asynq.NewInspectorFromRedisClient(redis)
}

func archived(t *testing.T, i *asynq.Inspector, id, reason string) {
	t.Helper()
	queuetest.Eventually(t, 10*time.Second, id+" is archived", func() bool {
		info, err := i.GetTaskInfo(tasks.QueueVerify, id)
		return err == nil && info.State == asynq.TaskStateArchived && strings.Contains(info.LastErr, reason)
	})
}

func TestUndecodablePayloadIsArchivedWithTheReason(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	start(t, config(t, o), jobs{})
	archived(t, raw(t, o, "verify-connection", "typo", `{"storage":{"provider":"mem","buckett":"b"}}`), "typo", `unknown field "buckett"`)
	s := wait(t, client(t, o), "typo", 10*time.Second)
	if s.Failure == nil || s.Failure.Kind != "invalid" || !strings.Contains(s.Failure.Message, "buckett") {
		t.Errorf("failure %+v", s.Failure)
	}
}

// asynq's own mux would run verify-connection-v2 with the handler of
// verify-connection.
func TestKindMatchesWhole(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	start(t, config(t, o), jobs{})
	archived(t, raw(t, o, "verify-connection-v2", "v2", `{"storage":{"provider":"mem","bucket":"b"}}`), "v2", `no task of type "verify-connection-v2"`)
}

// A producer in another language makes no record; the job runs and has a
// status all the same.
func TestJobWithoutRecord(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	raw(t, o, "verify-connection", "foreign", `{"storage":{"provider":"mem","bucket":"b"}}`)
	if s, err := c.Status(t.Context(), "foreign"); err != nil || s.State != tasks.StateQueued {
		t.Errorf("before: %+v, %v", s, err)
	}
	var runs atomic.Int32
	start(t, config(t, o), jobs{verify: failing(&runs)})
	if s := wait(t, c, "foreign", 10*time.Second); s.State != tasks.StateSucceeded || s.Kind != "verify-connection" {
		t.Errorf("after: %+v", s)
	}
}

func TestReadinessFollowsRedisAndDrain(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	r.Down()
	var runs atomic.Int32
	p := start(t, config(t, r.Options()), jobs{verify: failing(&runs)})
	status := func(path string) int {
		out := httptest.NewRecorder()
		p.Handler().ServeHTTP(out, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return out.Code
	}
	if got := status("/readyz"); got != http.StatusServiceUnavailable {
		t.Errorf("/readyz without Redis: %d", got)
	}
	if got := status("/livez"); got != http.StatusOK {
		t.Errorf("/livez without Redis: %d", got)
	}
	r.Up()
	queuetest.Eventually(t, 20*time.Second, "ready", func() bool { return status("/readyz") == http.StatusOK })
	c := client(t, r.Options())
	enqueue(t, c, verify, "v")
	wait(t, c, "v", 30*time.Second)
	p.stop()
	if got := status("/readyz"); got != http.StatusServiceUnavailable {
		t.Errorf("/readyz after the drain: %d", got)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	registry := prometheus.NewRegistry()
	c := config(t, o)
	c.Registry = registry
	start(t, c, jobs{manifest: &counting{shards: 3}})
	cl := client(t, o)
	enqueue(t, cl, manifest, "m")
	wait(t, cl, "m", 10*time.Second)
	for name, want := range map[string]float64{
		"stevedore_jobs_finished_total":     1,
		"stevedore_objects_processed_total": 30,
		"stevedore_slots":                   6,
		"stevedore_build_info":              1,
		"stevedore_draining":                0,
		"stevedore_redis_up":                1,
	} {
		queuetest.Eventually(t, 15*time.Second, name, func() bool { return sum(t, registry, name) == want })
	}
	queuetest.Eventually(t, 15*time.Second, "attempts", func() bool { return sum(t, registry, "stevedore_attempts_total") == 4 })
}

// A worker says so when Redis may evict keys: a job that loses one is lost
// for ever.
func TestEvictionIsWarnedOf(t *testing.T) {
	t.Parallel()
	r := queuetest.Start(t)
	redis := r.Options().Client()
	defer func() { _ = redis.Close() }()
	if err := redis.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err(); err != nil {
		t.Fatal(err)
	}
	log := make(lines, 100)
	c := config(t, r.Options())
	c.Log = slog.New(slog.NewTextHandler(log, nil))
	start(t, c, jobs{})
	for limit := time.After(20 * time.Second); ; {
		select {
		case line := <-log:
			if strings.Contains(line, "noeviction") && strings.Contains(line, "allkeys-lru") {
				return
			}
		case <-limit:
			t.Fatal("no warning")
		}
	}
}

// lines is a log that is read line by line.
type lines chan string

func (l lines) Write(p []byte) (int, error) { l <- string(p); return len(p), nil }

// sum adds up all the series of a metric.
func sum(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return total
}

func TestNewRefusesNoSlots(t *testing.T) {
	t.Parallel()
	if _, err := worker.New(worker.Config{}, jobs{}.registrations()...); err == nil {
		t.Error("a worker without slots was made")
	}
}
