package producer

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Wait follows a job to its end and returns its last status. How
// the job ended is in the status, not in the error. each, if not
// nil, is called with every status on the way: first at once,
// then whenever something has happened to the job.
//
// All waits of a client share one connection, on which Redis
// reports what happens. None of them polls. An outage of Redis
// does not end the wait. These do, with an error and the last
// status: the end of ctx, an unknown job, a refusal of Redis, and
// Close.
func (c *Client) Wait(
	ctx context.Context, id string, each func(tasks.Status),
) (tasks.Status, error) {
	var last tasks.Status
	var wake <-chan struct{}
	leave := func() {}
	defer func() { leave() }()
	for {
		s, err := c.Status(ctx, id)
		switch {
		case err == nil:
			c.reader.Outage.Note(nil)
			last = s
			if each != nil {
				each(s)
			}
			if s.State.Final() {
				return s, nil
			}
		case ctx.Err() == nil && !isOutage(err):
			return last, err
		case ctx.Err() == nil:
			c.reader.Outage.Note(err)
		}

		if wake == nil {
			wake, leave = c.wakeups.Join(id)
		}
		select {
		case <-ctx.Done():
		case <-wake:
		}
		if ctx.Err() != nil {
			ended := fmt.Errorf("waiting for job %s: %w", id, context.Cause(ctx))
			return last, errors.Join(ended, err)
		}
	}
}

// isOutage reports whether Redis may answer later. After Close it
// does not.
func isOutage(err error) bool {
	return errors.Is(err, redisconn.ErrUnavailable) && !errors.Is(err, redis.ErrClosed)
}
