package producer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Status tells how a job is doing. It is ErrNoJob when nothing is known of
// the ID.
func (c *Client) Status(ctx context.Context, id string) (tasks.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := c.status(ctx, id)
	return s, c.explain(err)
}

func (c *Client) status(ctx context.Context, id string) (tasks.Status, error) {
	s, err := c.records.Status(ctx, id)
	if !errors.Is(err, ErrNoJob) {
		return s, err
	}
	kind, _, err := c.foreign(id)
	if err != nil {
		return tasks.Status{}, err
	}
	return tasks.Status{ID: id, Kind: kind.Name, State: tasks.StateQueued}, nil
}

// foreign finds a job that another language enqueued and no worker has begun:
// it has a task, and no record yet. It may be on any queue, whatever its
// payload says. ErrNoJob means that there is no such job.
func (c *Client) foreign(id string) (tasks.Kind, *asynq.TaskInfo, error) {
	for _, q := range tasks.Queues() {
		if strings.HasPrefix(q, tasks.QueueShards) {
			continue
		}
		info, err := c.inspector.GetTaskInfo(q, id)
		switch {
		case noTask(err):
			continue
		case err != nil:
			return tasks.Kind{}, nil, err
		}
		kind, err := tasks.Lookup(info.Type)
		if err == nil && info.State != asynq.TaskStateArchived && info.State != asynq.TaskStateCompleted {
			return kind, info, nil
		}
	}
	return tasks.Kind{}, nil, fmt.Errorf("job %s: %w", id, ErrNoJob)
}

// Errors streams a job's error list: the objects that could not be dealt with
// while the job went on. At most about 10,000 are kept; Progress.Failed
// counts all of them. It is empty for a job that is not known, and while a
// retry runs it names only what failed again. The first error ends it, and so
// does ctx, as an error. It can be ranged over again.
func (c *Client) Errors(ctx context.Context, id string) iter.Seq2[tasks.ObjectError, error] {
	return func(yield func(tasks.ObjectError, error) bool) {
		for e, err := range c.records.Errors(ctx, id) {
			if !yield(e, c.explain(err)) {
				return
			}
		}
	}
}
