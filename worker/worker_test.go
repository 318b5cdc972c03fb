package worker_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker"
)

// maxStop is how long a worker may take to stop in a test.
const maxStop = time.Minute

// slow marks a test that takes more than about three seconds. Tests
// that start a redis-server need no mark: queuetest skips them with
// -short.
func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: -short runs no test of more than three seconds")
	}
}

// process is a running worker.
type process struct {
	*worker.Worker
	stop func() // drains the worker and waits for its end
}

// newConfig configures a small worker with metrics of its own.
func newConfig(t testing.TB, o redisconn.Options) worker.Config {
	t.Helper()
	log := slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug})
	return worker.Config{
		Redis:        o,
		Providers:    providers.Registry{},
		VerifySlots:  2,
		JobSlots:     2,
		ShardSlots:   2,
		Parallel:     4,
		DrainTimeout: 5 * time.Second,
		Log:          slog.New(log),
		Registry:     prometheus.NewRegistry(),
	}
}

// logWriter writes into the log of a test.
type logWriter struct{ t testing.TB }

func (l logWriter) Write(p []byte) (int, error) {
	l.t.Helper()
	l.t.Log(string(bytes.TrimSpace(p)))
	return len(p), nil
}

// startWorker starts a worker and stops it when the test ends.
func startWorker(t testing.TB, c worker.Config, j testJobs) *process {
	t.Helper()
	return runWorker(t, c, j.registrations()...)
}

func runWorker(t testing.TB, c worker.Config, jobs ...worker.Registration) *process {
	t.Helper()
	w, err := worker.New(c, jobs...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("worker: %v", err)
			}
		case <-time.After(maxStop):
			t.Errorf("the worker has not stopped within %v", maxStop)
		}
	})
	t.Cleanup(stop)
	return &process{w, stop}
}

// onEmbeddedAndReal runs a test on the embedded Redis and on a real
// one.
func onEmbeddedAndReal(t *testing.T, test func(*testing.T, redisconn.Options)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, queuetest.Embedded(t))
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, queuetest.Start(t).Options())
	})
}

// onEveryRedis runs a test on every sort of Redis that the product
// supports, also on a cluster, and as a user who has only the
// documented rights.
func onEveryRedis(t *testing.T, test func(*testing.T, redisconn.Options)) {
	t.Helper()
	for name, server := range queuetest.Servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, server(t))
		})
	}
}

// newClient makes a producer that is closed when the test ends.
func newClient(t testing.TB, o redisconn.Options) *producer.Client {
	t.Helper()
	c := producer.New(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Payloads for tests.
var (
	storage  = tasks.Storage{Provider: "mem", Bucket: "b"}
	manifest = tasks.BuildManifest{Source: storage}
	verify   = tasks.VerifyConnection{Storage: storage}
)

// enqueue enqueues a job under an ID.
func enqueue(t testing.TB, c *producer.Client, j tasks.Job, id string) {
	t.Helper()
	if _, err := c.Enqueue(t.Context(), j, producer.WithID(id)); err != nil {
		t.Fatalf("enqueue: %v", err)
	}
}

// errorList reads the error list of a job.
func errorList(t testing.TB, c *producer.Client, id string) (list []tasks.ObjectError) {
	t.Helper()
	for e, err := range c.Errors(t.Context(), id) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// waitForJob waits for the end of a job, with the producer's own Wait.
func waitForJob(t testing.TB, c *producer.Client, id string, limit time.Duration) tasks.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	s, err := c.Wait(ctx, id, nil)
	if err != nil {
		t.Fatalf("wait: %v; last seen %+v", err, s)
	}
	return s
}

// receive waits for a value of a channel.
func receive[T any](t testing.TB, c <-chan T, what string) (value T) {
	t.Helper()
	select {
	case value = <-c:
	case <-time.After(30 * time.Second):
		t.Fatalf("not within 30 seconds: %s", what)
	}
	return value
}
