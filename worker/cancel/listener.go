// Package cancel ends jobs whose tasks somebody asks asynq to cancel, as
// asynqmon's button does.
package cancel

import (
	"context"
	"errors"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// asynqCancel is the channel on which asynqmon and asynq's own tools
// ask to cancel a task, by its ID (asynq v0.26,
// internal/base.CancelChannel). asynq itself would only start the task
// again.
const asynqCancel = "asynq:cancel"

// Listener cancels a job when somebody asks asynq to cancel the
// job's task, or the task of one of its shards.
type Listener struct {
	Client redis.UniversalClient
	Store  queue.Store
	Kinds  map[string]job.Kind // that this worker runs
	Log    *slog.Logger
}

// Listen returns when ctx ends.
func (l Listener) Listen(ctx context.Context) {
	sub := l.Client.Subscribe(ctx, asynqCancel)
	defer func() { _ = sub.Close() }()
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-sub.Channel():
			if !ok {
				return
			}
			if err := l.cancel(ctx, asynqtask.ParseJobRef(m.Payload).Job); err != nil {
				l.Log.Warn("could not cancel a job",
					"job", asynqtask.ParseJobRef(m.Payload).Job, "task", m.Payload, "error", err)
			}
		}
	}
}

// cancel cancels a job of a kind that this worker runs. A task may also
// belong to another program.
func (l Listener) cancel(ctx context.Context, id string) error {
	status, err := l.Store.Status(ctx, id)
	if errors.Is(err, queue.ErrNoJob) {
		return nil
	}
	if err != nil {
		return err
	}
	k, ok := l.Kinds[status.Kind]
	if !ok {
		return nil
	}
	_, err = l.Store.Cancel(ctx, id, k.Policy.Keep)
	return err
}
