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

// hung is a worker whose process lives, so that asynq leaves its task to it,
// and which does nothing: it has taken one task and never beats.
type hung struct {
	server  *asynq.Server
	taken   chan *asynq.Task
	release chan struct{}
	once    sync.Once
}

func hang(t testing.TB, o redisconn.Options, name string, begin func(context.Context, *asynq.Task)) *hung {
	t.Helper()
	h := &hung{taken: make(chan *asynq.Task, 100), release: make(chan struct{})}
	h.server = asynq.NewServer(o, asynq.Config{
		Concurrency: 1, Queues: map[string]int{name: 1}, TaskCheckInterval: 10 * time.Millisecond, Logger: quiet{},
		ShutdownTimeout: 10 * time.Second, RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return 0 },
	})
	err := h.server.Start(asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		begin(ctx, task)
		h.taken <- task
		<-h.release
		return errors.New("the hung worker is back")
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.wake)
	return h
}

// wake lets the hung worker fail and go away: asynq then runs its task again,
// elsewhere.
func (h *hung) wake() {
	h.once.Do(func() {
		h.server.Stop()
		close(h.release)
		h.server.Shutdown()
	})
}

type quiet struct{}

func (quiet) Debug(...any) {}
func (quiet) Info(...any)  {}
func (quiet) Warn(...any)  {}
func (quiet) Error(...any) {}
func (quiet) Fatal(...any) {}

func shardOf(t testing.TB, task *asynq.Task) (ref asynqtask.ShardRef) {
	t.Helper()
	if err := json.Unmarshal(task.Payload(), &ref); err != nil {
		t.Error(err)
	}
	return ref
}
