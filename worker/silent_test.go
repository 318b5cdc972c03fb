package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// silentWorker is a worker that has taken a task and sends no
// heartbeat. Its process lives, so that asynq leaves the task to it.
type silentWorker struct {
	server *asynq.Server
	taken  chan *asynq.Task
	end    chan struct{}
	once   sync.Once
}

// startSilentWorker starts a silent worker for a queue. It calls begin
// for each task that it takes.
func startSilentWorker(
	t testing.TB, o redisconn.Options, name string, begin func(context.Context, *asynq.Task),
) *silentWorker {
	t.Helper()
	w := &silentWorker{taken: make(chan *asynq.Task, 100), end: make(chan struct{})}
	w.server = asynq.NewServer(o, asynq.Config{
		Concurrency:       1,
		Queues:            map[string]int{name: 1},
		TaskCheckInterval: 10 * time.Millisecond,
		ShutdownTimeout:   10 * time.Second,
		RetryDelayFunc:    func(int, error, *asynq.Task) time.Duration { return 0 },
		Logger:            noLog{},
	})
	err := w.server.Start(asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		begin(ctx, task)
		w.taken <- task
		<-w.end
		return errors.New("the silent worker is back")
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.wakeUp)
	return w
}

// wakeUp lets the silent worker fail its task and stop. asynq then runs
// the task again, elsewhere.
func (w *silentWorker) wakeUp() {
	w.once.Do(func() {
		w.server.Stop()
		close(w.end)
		w.server.Shutdown()
	})
}

// noLog is a log of asynq's that nobody reads.
type noLog struct{}

func (noLog) Debug(...any) {}
func (noLog) Info(...any)  {}
func (noLog) Warn(...any)  {}
func (noLog) Error(...any) {}
func (noLog) Fatal(...any) {}

// shardOf reads which shard a task carries.
func shardOf(t testing.TB, task *asynq.Task) (ref asynqtask.ShardRef) {
	t.Helper()
	if err := json.Unmarshal(task.Payload(), &ref); err != nil {
		t.Error(err)
	}
	return ref
}
