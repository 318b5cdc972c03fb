package producer

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

// Status returns how a job is doing. It returns ErrNoJob if there
// is no job with this ID.
func (c *Client) Status(ctx context.Context, id string) (tasks.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	s, err := c.jobs.status(ctx, id)
	return s, c.options.Explain(err)
}

func (j jobs) status(ctx context.Context, id string) (tasks.Status, error) {
	s, payload, err := j.store.StatusAndPayload(ctx, id)
	if errors.Is(err, ErrNoJob) {
		var found asynqtask.FoundJob
		found, err = j.findForeign(id)
		s = tasks.Status{ID: id, Kind: found.Kind, State: tasks.StateQueued}
		payload = found.Payload
	}
	if err != nil {
		return tasks.Status{}, err
	}
	if kind, err := j.kinds.Lookup(s.Kind); err == nil {
		kind.Describe(&s, payload)
	}
	return s, nil
}

// findForeign finds a job that another language enqueued and no
// worker has begun: it has a task and no record. It may be on any
// queue, whatever its priority is. The error is ErrNoJob if there
// is no such job.
func (j jobs) findForeign(id string) (asynqtask.FoundJob, error) {
	found, there, err := j.tasks.FindJob(id)
	if err != nil {
		return found, err
	}
	if _, err := j.kinds.Lookup(found.Kind); !there || err != nil {
		return found, fmt.Errorf("job %s: %w", id, ErrNoJob)
	}
	return found, nil
}

// Errors streams a job's error list: the objects that could not
// be processed while the job went on. About 10,000 are stored;
// Progress.Failed counts all of them. While a retry runs, the
// list has only what failed again. It is empty for an unknown
// job.
//
// The first error ends the iteration, and so does the end of ctx,
// with an error. It can be ranged over again.
func (c *Client) Errors(ctx context.Context, id string) iter.Seq2[tasks.ObjectError, error] {
	return func(yield func(tasks.ObjectError, error) bool) {
		for e, err := range c.jobs.store.Errors(ctx, id) {
			if !yield(e, c.options.Explain(err)) {
				return
			}
		}
	}
}
