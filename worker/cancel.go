package worker

import (
	"context"
	"errors"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

// asynqCancel is the channel on which asynqmon and asynq's own tools ask to
// cancel a task, by its ID (asynq v0.26, internal/base.CancelChannel). asynq
// itself would only start the task again.
const asynqCancel = "asynq:cancel"

// listenForCancel cancels a job when somebody asks asynq to cancel its task,
// or the task of one of its shards. It returns when ctx ends.
func (w *Worker) listenForCancel(ctx context.Context) {
	sub := w.prompt.Subscribe(ctx, asynqCancel)
	defer func() { _ = sub.Close() }()
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-sub.Channel():
			if !ok {
				return
			}
			if err := w.cancelJob(ctx, asynqtask.ParseJobRef(m.Payload).Job); err != nil {
				w.log.Warn("could not cancel a job", "task", m.Payload, "error", err)
			}
		}
	}
}

// cancelJob cancels a job of a kind that this worker runs. A task may also
// belong to another program.
func (w *Worker) cancelJob(ctx context.Context, id string) error {
	health, err := w.store.Reaper().Inspect(ctx, id)
	if errors.Is(err, queue.ErrNoJob) {
		return nil
	}
	if err != nil {
		return err
	}
	k, ok := w.kinds[health.Kind]
	if !ok {
		return nil
	}
	_, err = w.store.Cancel(ctx, id, k.Policy.Keep)
	return err
}
