package queue_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Whatever kind of Redis there is, asynq does on it all that the worker and
// the producer ask of it.
func TestAsynqOnEveryServer(t *testing.T) {
	t.Parallel()
	servers := queuetest.Servers()
	servers["sentinel"] = queuetest.StartSentinel
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, start(t), handle)
			b.result(t)
			b.retry(t)
			b.cancel(t)
			b.inspect(t)
		})
	}
}

// asynqOn is asynq with a running server.
type asynqOn struct {
	client    *asynq.Client
	inspector *asynq.Inspector
}

// serve runs a server as the worker does, until the test ends.
func serve(t *testing.T, o redisconn.Options, h asynq.HandlerFunc) asynqOn {
	t.Helper()
	app, own := o.Client(), o.MakeRedisClient().(redis.UniversalClient)
	t.Cleanup(func() { _, _ = app.Close(), own.Close() })
	server := asynq.NewServerFromRedisClient(own, asynq.Config{
		Queues:      map[string]int{"default": 1, tasks.QueueShards: 1, tasks.QueueJobs: 1},
		Concurrency: 4, TaskCheckInterval: 10 * time.Millisecond, DelayedTaskCheckInterval: 50 * time.Millisecond,
		IsFailure:      func(err error) bool { return !errors.Is(err, errDrain) },
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return 0 },
		Logger:         quiet{slog.New(slog.DiscardHandler)},
	})
	if err := server.Start(h); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	return asynqOn{asynq.NewClientFromRedisClient(app), asynq.NewInspectorFromRedisClient(app)}
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

func (a asynqOn) enqueue(t *testing.T, kind string) {
	t.Helper()
	task := asynq.NewTask(kind, []byte("it"), asynq.TaskID(kind), asynq.Retention(time.Hour), asynq.Timeout(time.Minute))
	if _, err := a.client.EnqueueContext(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	if _, err := a.client.EnqueueContext(t.Context(), task); !errors.Is(err, asynq.ErrTaskIDConflict) {
		t.Errorf("the same ID again: %v", err)
	}
}

// completed waits for the end of a task.
func (a asynqOn) completed(t *testing.T, id string) *asynq.TaskInfo {
	t.Helper()
	var info *asynq.TaskInfo
	queuetest.Eventually(t, 20*time.Second, id+" is completed", func() (done bool) {
		var err error
		if info, err = a.inspector.GetTaskInfo("default", id); err != nil {
			t.Fatal(err)
		}
		return info.State == asynq.TaskStateCompleted
	})
	return info
}

func (a asynqOn) result(t *testing.T) {
	t.Helper()
	a.enqueue(t, "works")
	if info := a.completed(t, "works"); string(info.Result) != "did it" || info.Retried != 0 {
		t.Errorf("result %q after %d retries", info.Result, info.Retried)
	}
}

func (a asynqOn) retry(t *testing.T) {
	t.Helper()
	a.enqueue(t, "fails once")
	if info := a.completed(t, "fails once"); info.Retried != 1 || info.LastErr != "once" {
		t.Errorf("%d retries, last error %q", info.Retried, info.LastErr)
	}
}

// cancel goes by pub/sub. To asynq it is a failure like any other: the task
// is tried again.
func (a asynqOn) cancel(t *testing.T) {
	t.Helper()
	a.enqueue(t, "waits")
	queuetest.Eventually(t, 20*time.Second, "the task is cancelled", func() bool {
		if err := a.inspector.CancelProcessing("waits"); err != nil { // unheard while the server has not subscribed yet
			t.Fatal(err)
		}
		info, err := a.inspector.GetTaskInfo("default", "waits")
		return err == nil && info.Retried == 1
	})
	a.completed(t, "waits")
}

func (a asynqOn) inspect(t *testing.T) {
	t.Helper()
	info, err := a.inspector.GetQueueInfo("default")
	if err != nil || info.Completed != 3 || info.Failed != 2 || info.Size != 3 || info.MemoryUsage == 0 {
		t.Errorf("queue: %+v, %v", info, err)
	}
	if servers, err := a.inspector.Servers(); err != nil || len(servers) != 1 {
		t.Errorf("servers: %v, %v", servers, err)
	}
	for what, err := range map[string]error{
		"pause": a.inspector.PauseQueue("default"), "unpause": a.inspector.UnpauseQueue("default"),
		"delete a task": a.inspector.DeleteTask("default", "works"),
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

// A user with our rights reaches our keys and nothing else.
func TestAccessRulesAreNarrow(t *testing.T) {
	t.Parallel()
	o := queuetest.StartACL(t).Options()
	c := o.Client()
	defer func() { _ = c.Close() }()
	for _, command := range []string{
		"SET stevedore:{j}:job x", "XADD stevedore:events * k v", "PUBLISH stevedore:x y", "PUBLISH asynq:cancel id", "INFO", "TIME",
	} {
		if err := do(t, c, command); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	}
	for _, command := range []string{
		"SET other x", "GET other", "PUBLISH other y", "EVAL return(redis.call('get','other')) 0", "FLUSHALL", "FLUSHDB", "KEYS *",
		"CONFIG GET maxmemory", "CLIENT LIST", "ACL LIST", "SHUTDOWN", "FUNCTION FLUSH", "SCRIPT FLUSH", "SAVE", "SWAPDB 0 1",
	} {
		if err := do(t, c, command); err == nil || !strings.Contains(err.Error(), "permission") && !strings.Contains(err.Error(), "can't access") {
			t.Errorf("%s: %v", command, err)
		}
	}
	anybody := redisconn.Options{Addr: o.Addr}.Client()
	defer func() { _ = anybody.Close() }()
	if err := anybody.Ping(t.Context()).Err(); err == nil {
		t.Error("the default user is let in")
	}
}

func do(t *testing.T, c redis.UniversalClient, command string) error {
	t.Helper()
	var args []any
	for _, word := range strings.Fields(command) {
		args = append(args, word)
	}
	return c.Do(t.Context(), args...).Err()
}
