package producer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Status tells how a job is doing. It is ErrNoJob when nothing is known of the ID.
func (c *Client) Status(ctx context.Context, id string) (tasks.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := c.records.Status(ctx, id)
	if errors.Is(err, ErrNoJob) {
		return c.queued(id, err)
	}
	return s, c.explain(err)
}

// queued looks for a job that another language enqueued and no worker has begun: it has no record yet.
func (c *Client) queued(id string, notFound error) (tasks.Status, error) {
	for _, k := range tasks.Kinds() {
		info, err := c.inspector.GetTaskInfo(k.Policy.Queue, id)
		switch {
		case err == nil && info.Type == k.Name && info.State != asynq.TaskStateArchived && info.State != asynq.TaskStateCompleted:
			return tasks.Status{ID: id, Kind: k.Name, State: tasks.StateQueued}, nil
		case err != nil && !errors.Is(err, asynq.ErrTaskNotFound) && !errors.Is(err, asynq.ErrQueueNotFound):
			return tasks.Status{}, c.explain(err)
		}
	}
	return tasks.Status{}, notFound
}

// Errors is a job's error list: the objects that could not be dealt with while the job went on. At most about 10,000 are
// kept; Progress.Failed counts all of them. It is empty for a job that is not known.
func (c *Client) Errors(ctx context.Context, id string) ([]tasks.ObjectError, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var list []tasks.ObjectError
	for e, err := range c.records.Errors(ctx, id) {
		if err != nil {
			return list, c.explain(err)
		}
		list = append(list, e)
	}
	return list, nil
}

// Result decodes the result of a succeeded job to its type, for example tasks.BuildManifestResult.
func Result(s tasks.Status) (tasks.Result, error) {
	if s.State != tasks.StateSucceeded {
		return nil, fmt.Errorf("job %s has no result: it is %s", s.ID, s.State)
	}
	kind, err := tasks.Lookup(s.Kind)
	if err != nil {
		return nil, err
	}
	return kind.DecodeResult(s.Result)
}

// How often Wait looks: often at first, for the jobs that answer at once.
const (
	firstLook = 50 * time.Millisecond
	lastLook  = time.Second
)

// Wait follows a job to its end and returns its last status; how it ended is in there, not in the error. each, if not nil,
// is called with every status that was read on the way. Redis being away for a while does not end the wait; ctx does.
func (c *Client) Wait(ctx context.Context, id string, each func(tasks.Status)) (tasks.Status, error) {
	for pause := firstLook; ; pause = min(pause*3/2, lastLook) {
		s, err := c.Status(ctx, id)
		switch {
		case errors.Is(err, ErrNoJob):
			return s, err
		case err == nil && each != nil:
			each(s)
		}
		if err == nil && s.State.Final() {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return s, errors.Join(fmt.Errorf("waiting for job %s: %w", id, context.Cause(ctx)), err)
		case <-time.After(pause):
		}
	}
}
