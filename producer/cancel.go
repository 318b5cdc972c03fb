package producer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

// Cancel ends a job as cancelled, whoever runs it: its workers find out
// within a second or so and let go of it. What it has written to the bucket
// by then stays there.
//
// It returns the state that the job is in now: cancelled, or how the job had
// ended before, which stays as it is. It is safe to call twice. ErrNoJob
// means that nothing is known of the ID; any other error that the job may or
// may not be cancelled: call again.
func (c *Client) Cancel(ctx context.Context, id string) (tasks.State, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	kind, err := c.record(ctx, id)
	if err != nil {
		return "", c.explain(err)
	}
	had, err := c.records.Cancel(ctx, id, cmp.Or(kind.Policy.Keep, keepUnknown))
	switch {
	case err != nil:
		return "", c.explain(err)
	case had == "":
		return "", fmt.Errorf("job %s: %w", id, ErrNoJob)
	case had.Final() && had != tasks.StateCancelled:
		return had, nil
	}
	c.withdraw(ctx, kind, id)
	return tasks.StateCancelled, nil
}

// keepUnknown is how long the record of a cancelled job is kept whose kind
// this client does not know.
const keepUnknown = 7 * 24 * time.Hour

// record makes sure that a job has a record: one that another language has
// enqueued may have none yet.
func (c *Client) record(ctx context.Context, id string) (tasks.Kind, error) {
	p, err := c.records.Pulse(ctx, id)
	switch {
	case err == nil:
		kind, _ := tasks.Lookup(p.Kind) // one of a newer version can be cancelled too
		return kind, nil
	case !errors.Is(err, ErrNoJob):
		return tasks.Kind{}, err
	}
	kind, info, err := c.foreign(id)
	if err != nil {
		return kind, err
	}
	_, err = c.records.Create(ctx, id, kind.Name, info.Payload)
	return kind, err
}

// withdraw takes the task of a cancelled job off the queue, if it waits
// there, so that nobody takes the job for waiting. The worker that gets it
// otherwise drops it, so whatever goes wrong here does no harm.
func (c *Client) withdraw(ctx context.Context, kind tasks.Kind, id string) {
	p, err := c.records.Pulse(ctx, id)
	if err != nil || kind.Policy.Queue == "" {
		return
	}
	taskID := asynqtask.JobRef{Job: id, Generation: p.Generation}.TaskID()
	asked := map[string]bool{}
	for _, priority := range []tasks.Priority{priorityOf(kind, p.Payload), tasks.PriorityHigh, tasks.PriorityNormal, tasks.PriorityLow} {
		q := priority.Queue(kind.Policy.Queue)
		if asked[q] {
			continue
		}
		asked[q] = true
		info, err := c.inspector.GetTaskInfo(q, taskID)
		if err != nil {
			continue
		}
		switch info.State {
		case asynq.TaskStatePending, asynq.TaskStateScheduled, asynq.TaskStateRetry:
			_ = c.inspector.DeleteTask(q, taskID)
		}
	}
}
