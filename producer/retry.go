package producer

import (
	"context"
	"fmt"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

var (
	// ErrNothingToRetry means that no object of a job failed.
	ErrNothingToRetry = queue.ErrNothingToRetry
	// ErrNotRetryable means that a job has not ended, that more
	// objects failed than its error list holds, or that its
	// deadline has passed. In the last two cases enqueue the job
	// anew, under another ID.
	ErrNotRetryable = queue.ErrNotRetryable
)

// Retry begins a job that has ended again, under the same ID. Wait
// then follows it to its new end.
//
// A job that failed or was cancelled runs again as a whole. A job
// that has a result runs for the objects of its error list alone:
// the new result is as if they had not failed, and the new error
// list has those that failed again. A job without shards, such as
// export-annotations, always runs as a whole.
//
// It is safe to call twice, also at once: while a retry is under
// way, another call changes nothing and returns nil.
// ErrNothingToRetry, ErrNotRetryable and ErrNoJob mean that
// nothing was changed. After any other error call again.
func (c *Client) Retry(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return c.options.Explain(c.jobs.retry(ctx, id))
}

func (j jobs) retry(ctx context.Context, id string) error {
	s, err := j.status(ctx, id)
	switch {
	case err != nil:
		return err
	case s.State.Final():
		return j.beginRetry(ctx, s)
	case s.Round == 0:
		return fmt.Errorf("job %s: %w: it is %s; wait for its end", id, ErrNotRetryable, s.State)
	}
	return j.enqueueRetry(ctx, id)
}

// beginRetry begins the next round, unless another call has begun
// it since the status was read.
func (j jobs) beginRetry(ctx context.Context, s tasks.Status) error {
	h, err := j.store.Reaper().Inspect(ctx, s.ID)
	if err != nil {
		return err
	}
	kind, err := j.kinds.Lookup(h.Kind)
	if err != nil {
		return err
	}
	payload, err := j.store.Reaper().Payload(ctx, s.ID)
	if err != nil {
		return err
	}
	if t := deadlineOf(kind, payload); !t.IsZero() && t.Before(h.Now) {
		return fmt.Errorf("job %s: %w: its deadline, %s, has passed; enqueue it anew",
			s.ID, ErrNotRetryable, t.Format(time.RFC3339))
	}

	task, err := j.store.BeginRetry(ctx, s.ID, s.Round+1)
	if err != nil {
		return err
	}
	return j.enqueueTask(ctx, kind, s.ID, task)
}

// enqueueRetry enqueues the task of a retry that another call has
// begun. That call may have ended before it could do so.
func (j jobs) enqueueRetry(ctx context.Context, id string) error {
	h, err := j.store.Reaper().Inspect(ctx, id)
	if err != nil {
		return err
	}
	kind, err := j.kinds.Lookup(h.Kind)
	if err != nil {
		return err
	}
	payload, err := j.store.Reaper().Payload(ctx, id)
	if err != nil {
		return err
	}
	return j.enqueueTask(ctx, kind, id, queue.RetryTask{
		State: h.State, Payload: payload, Queue: h.Queue, Generation: h.Generation,
	})
}

// enqueueTask enqueues the task of a retry, unless a worker has
// the job, or the retry has ended.
func (j jobs) enqueueTask(
	ctx context.Context, kind tasks.Kind, id string, t queue.RetryTask,
) error {
	if t.State != tasks.StateQueued {
		return nil
	}
	return j.tasks.EnqueueJob(ctx, asynqtask.Job{
		Kind:    kind,
		Ref:     asynqtask.JobRef{Job: id, Generation: t.Generation},
		Queue:   t.Queue,
		Payload: t.Payload,
	})
}

// deadlineOf returns the zero time for a payload without a
// deadline, or one that cannot be read.
func deadlineOf(kind tasks.Kind, payload []byte) time.Time {
	j, err := kind.Decode(payload)
	if err != nil {
		return time.Time{}
	}
	return j.JobTerms().Deadline
}
