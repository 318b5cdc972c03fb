package asynqtask_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// asynq does all that workers and producers need, on every kind
// of Redis.
func TestAsynqOnEveryServer(t *testing.T) {
	t.Parallel()
	servers := queuetest.Servers()
	servers["sentinel"] = queuetest.StartSentinel
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := serve(t, start(t), handle)
			e.result(t)
			e.retry(t)
			e.cancel(t)
			e.inspect(t)
		})
	}
}

// env is asynq with a Redis of its own.
type env struct {
	asynqtask.Client
	client    *asynq.Client
	inspector *asynq.Inspector
}

func open(t *testing.T, o redisconn.Options) env {
	t.Helper()
	c := o.Client()
	t.Cleanup(func() { _ = c.Close() })
	return env{
		asynqtask.NewClient(c, c), asynq.NewClientFromRedisClient(c), asynq.NewInspectorFromRedisClient(c),
	}
}

// put enqueues a task without the help of a Client.
func (e env) put(t *testing.T, task *asynq.Task) error {
	t.Helper()
	_, err := e.client.EnqueueContext(t.Context(), task)
	return err
}

// ok ends the test at an error.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// slots is how many tasks a server runs at once.
const slots = 4

// serve starts a server as the worker does. It runs until the
// test ends.
func serve(t *testing.T, o redisconn.Options, h asynq.HandlerFunc) env {
	t.Helper()
	own := o.MakeRedisClient().(redis.UniversalClient)
	t.Cleanup(func() { _ = own.Close() })
	server := asynq.NewServerFromRedisClient(own, asynq.Config{
		Queues:      map[string]int{"default": 1, tasks.QueueShards: 1, tasks.QueueJobs: 1},
		Concurrency: slots, TaskCheckInterval: 10 * time.Millisecond, DelayedTaskCheckInterval: 50 * time.Millisecond,
		IsFailure:      func(err error) bool { return !errors.Is(err, errDrain) },
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return 0 },
		Logger:         quiet{slog.New(slog.DiscardHandler)},
	})
	e := open(t, o)
	ok(t, server.Start(h))
	t.Cleanup(server.Shutdown)
	return e
}

var errDrain = errors.New("the worker is drained")

// handle does what the task's type says.
func handle(ctx context.Context, task *asynq.Task) error {
	tried, _ := asynq.GetRetryCount(ctx)
	switch {
	case tried > 0:
		return nil
	case task.Type() == "fails once":
		return errors.New("once")
	case task.Type() == "waits":
		<-ctx.Done()
		return ctx.Err()
	}
	_, err := task.ResultWriter().Write(append([]byte("did "), task.Payload()...))
	return err
}

func (e env) enqueue(t *testing.T, kind string) {
	t.Helper()
	task := asynq.NewTask(kind, []byte("it"), asynq.TaskID(kind), asynq.Retention(time.Hour), asynq.Timeout(time.Minute))
	if _, err := e.client.EnqueueContext(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	if _, err := e.client.EnqueueContext(t.Context(), task); !errors.Is(err, asynq.ErrTaskIDConflict) {
		t.Errorf("the same ID again: %v", err)
	}
}

// completed waits for the end of a task.
func (e env) completed(t *testing.T, id string) *asynq.TaskInfo {
	t.Helper()
	var info *asynq.TaskInfo
	queuetest.Eventually(t, 20*time.Second, id+" is completed", func() (done bool) {
		var err error
		if info, err = e.inspector.GetTaskInfo("default", id); err != nil {
			t.Fatal(err)
		}
		return info.State == asynq.TaskStateCompleted
	})
	return info
}

func (e env) result(t *testing.T) {
	t.Helper()
	e.enqueue(t, "works")
	if info := e.completed(t, "works"); string(info.Result) != "did it" || info.Retried != 0 {
		t.Errorf("result %q after %d retries", info.Result, info.Retried)
	}
}

func (e env) retry(t *testing.T) {
	t.Helper()
	e.enqueue(t, "fails once")
	if info := e.completed(t, "fails once"); info.Retried != 1 || info.LastErr != "once" {
		t.Errorf("%d retries, last error %q", info.Retried, info.LastErr)
	}
}

// cancel is sent over pub/sub. asynq takes it for a failure and
// retries the task.
func (e env) cancel(t *testing.T) {
	t.Helper()
	e.enqueue(t, "waits")
	queuetest.Eventually(t, 20*time.Second, "the task is cancelled", func() bool {
		if err := e.inspector.CancelProcessing("waits"); err != nil { // lost if the server has not subscribed yet
			t.Fatal(err)
		}
		info, err := e.inspector.GetTaskInfo("default", "waits")
		return err == nil && info.Retried == 1
	})
	e.completed(t, "waits")
}

func (e env) inspect(t *testing.T) {
	t.Helper()
	info, err := e.inspector.GetQueueInfo("default")
	if err != nil || info.Completed != 3 || info.Failed != 2 || info.Size != 3 || info.MemoryUsage == 0 {
		t.Errorf("queue: %+v, %v", info, err)
	}
	if servers, err := e.inspector.Servers(); err != nil || len(servers) != 1 {
		t.Errorf("servers: %v, %v", servers, err)
	}
	for what, err := range map[string]error{
		"pause": e.inspector.PauseQueue("default"), "unpause": e.inspector.UnpauseQueue("default"),
		"delete a task": e.inspector.DeleteTask("default", "works"),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// quiet is a logger for asynq.
type quiet struct{ *slog.Logger }

func (q quiet) Debug(args ...any) { q.log(args) }
func (q quiet) Info(args ...any)  { q.log(args) }
func (q quiet) Warn(args ...any)  { q.log(args) }
func (q quiet) Error(args ...any) { q.log(args) }
func (q quiet) Fatal(args ...any) { q.log(args) }
func (q quiet) log([]any)         {}
