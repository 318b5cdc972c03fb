package worker

import (
	"context"
	"errors"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// asynqCancel is the channel on which asynqmon and asynq's own tools ask for
// a task to be cancelled, by its ID (asynq v0.26,
// internal/base.CancelChannel). asynq itself would only make the task start
// again.
const asynqCancel = "asynq:cancel"

// heedCancel ends a job for good when somebody has asked asynq to cancel its
// task, or one of its shards'.
func (w *Worker) heedCancel(ctx context.Context) {
	sub := w.redis.Subscribe(ctx, asynqCancel)
	defer func() { _ = sub.Close() }()
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-sub.Channel():
			if !ok {
				return
			}
			if err := w.cancelJob(ctx, queue.ParseJobRef(m.Payload).Job); err != nil {
				w.log.Warn("could not cancel a job", "task", m.Payload, "error", err)
			}
		}
	}
}

func (w *Worker) cancelJob(ctx context.Context, id string) error {
	p, err := w.records.Pulse(ctx, id)
	if errors.Is(err, queue.ErrNoJob) {
		return nil // somebody else's task
	}
	if err != nil {
		return err
	}
	kind, err := tasks.Lookup(p.Kind)
	if err != nil {
		return err
	}
	_, err = w.records.Cancel(ctx, id, kind.Policy.Keep)
	return err
}
