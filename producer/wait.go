package producer

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Wait follows a job to its end and returns its last status; how it ended is
// in there, not in the error. each, if not nil, is called with every status
// that was read on the way: at the start, and whenever something has happened
// to the job.
//
// However many wait on one client, they share one connection, on which Redis
// tells what happens; none of them polls. Redis being away for a while does
// not end the wait. What ends it, with the last status that was read, is ctx,
// a job that is not known, a refusal of Redis, or Close.
func (c *Client) Wait(ctx context.Context, id string, each func(tasks.Status)) (tasks.Status, error) {
	var last tasks.Status
	var wake <-chan struct{}
	leave := func() {}
	defer func() { leave() }()
	for {
		s, err := c.Status(ctx, id)
		switch {
		case err == nil:
			last = s
			if each != nil {
				each(s)
			}
			if s.State.Final() {
				return s, nil
			}
		case ctx.Err() == nil && (!errors.Is(err, redisconn.ErrUnavailable) || errors.Is(err, redis.ErrClosed)):
			return last, err
		}
		if wake == nil {
			wake, leave = c.watch.join(id)
		}
		select {
		case <-ctx.Done():
		case <-wake:
		}
		if ctx.Err() != nil {
			return last, errors.Join(fmt.Errorf("waiting for job %s: %w", id, context.Cause(ctx)), err)
		}
	}
}
