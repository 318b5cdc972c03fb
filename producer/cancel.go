package producer

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

// keepUnknown is how long the record of a cancelled job stays
// whose kind this client does not know.
const keepUnknown = 7 * 24 * time.Hour

// Cancel ends a job as cancelled, on any worker: its workers
// notice within about a second and stop. What they have written
// to the bucket by then stays there.
//
// Cancel returns the state of the job now. That is cancelled, or
// how the job had ended before, which stays as it is. It is safe
// to call twice. ErrNoJob means that there is no job with this
// ID. After any other error the job may or may not be cancelled:
// call again.
func (c *Client) Cancel(ctx context.Context, id string) (tasks.State, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	kind, err := c.jobs.ensureRecord(ctx, id)
	if err != nil {
		return "", c.options.Explain(err)
	}
	r, err := c.jobs.store.Cancel(ctx, id, cmp.Or(kind.Policy.Keep, keepUnknown))
	if err != nil {
		return "", c.options.Explain(err)
	}
	if r.State.Final() && r.State != tasks.StateCancelled {
		return r.State, nil
	}
	c.jobs.withdraw(kind, id, r)
	return tasks.StateCancelled, nil
}

// ensureRecord returns the kind of a job. It makes the record of
// a job that another language has enqueued. The kind is zero if
// this client does not know it: such a job can be cancelled, too.
func (j jobs) ensureRecord(ctx context.Context, id string) (tasks.Kind, error) {
	s, err := j.store.Status(ctx, id)
	if errors.Is(err, ErrNoJob) {
		found, err := j.findForeign(id)
		if err != nil {
			return tasks.Kind{}, err
		}
		s.Kind = found.Kind
		_, err = j.store.Create(ctx, queue.NewJob{
			ID: id, Kind: found.Kind, Payload: found.Payload, Queue: found.Queue,
		})
		if err != nil {
			return tasks.Kind{}, err
		}
	} else if err != nil {
		return tasks.Kind{}, err
	}
	kind, _ := j.kinds.Lookup(s.Kind)
	return kind, nil
}

// withdraw removes the task of a cancelled job from its queue, if
// it waits there. If that fails, no harm is done: the worker that
// gets the task sees that the job has ended.
func (j jobs) withdraw(kind tasks.Kind, id string, r queue.CancelResult) {
	queues := []string{r.Queue}
	if r.Queue == "" { // an older version made the record
		for _, p := range []tasks.Priority{"", tasks.PriorityHigh, tasks.PriorityLow} {
			queues = append(queues, p.Queue(kind.Policy.Queue))
		}
	}
	taskID := asynqtask.JobRef{Job: id, Generation: r.Generation}.TaskID()
	for _, q := range queues {
		if q != "" {
			_ = j.tasks.Withdraw(q, taskID)
		}
	}
}
