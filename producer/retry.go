package producer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

var (
	// ErrNothingToRetry means that no object of a job failed.
	ErrNothingToRetry = queue.ErrNothingToRetry
	// ErrNotRetryable means that a job cannot be begun again for its error
	// list alone: it has not ended yet, or not with success, or its list was
	// cut short, or its deadline has passed. Enqueue it anew, under another
	// ID.
	ErrNotRetryable = queue.ErrNotRetryable
)

// Retry begins a job that has a result again, under the same ID, for the
// objects on its error list alone; Wait then follows it to its new end. Jobs
// without shards, such as export-annotations, are run again as a whole. The
// result is as if the objects had not failed, and the error list names those
// that failed again.
//
// It is safe to call twice, also at once: while a retry is under way another
// one changes nothing and is no error. ErrNothingToRetry, ErrNotRetryable and
// ErrNoJob mean that nothing was changed; after any other error call again.
func (c *Client) Retry(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.explain(c.retry(ctx, id))
}

func (c *Client) retry(ctx context.Context, id string) error {
	s, err := c.status(ctx, id)
	switch {
	case err != nil:
		return err
	case s.State.Final():
		if err := c.reopen(ctx, s); err != nil {
			return err
		}
	case s.Round == 0:
		return fmt.Errorf("job %s: %w: it is %s; wait for its end", id, ErrNotRetryable, s.State)
	}
	return c.resend(ctx, id)
}

// reopen begins the next round, unless somebody else has begun it since the
// status was read.
func (c *Client) reopen(ctx context.Context, s tasks.Status) error {
	p, err := c.records.Pulse(ctx, s.ID)
	if err != nil {
		return err
	}
	if t := deadlineOf(p); !t.IsZero() && t.Before(time.Now()) {
		return fmt.Errorf("job %s: %w: its deadline, %s, has passed; enqueue it anew", s.ID, ErrNotRetryable, t.Format(time.RFC3339))
	}
	_, err = c.records.Reopen(ctx, s.ID, s.Round+1)
	if errors.Is(err, ErrNotRetryable) || errors.Is(err, ErrNothingToRetry) {
		if now, look := c.records.Status(ctx, s.ID); look == nil && now.Round > s.Round {
			return nil
		}
	}
	return err
}

// resend puts the task of a retry on the queue, if no worker has begun it.
// The call that began the retry may have got no further, so each call does
// it; asynq takes the same task once.
func (c *Client) resend(ctx context.Context, id string) error {
	p, err := c.records.Pulse(ctx, id)
	if err != nil || p.State != tasks.StateQueued {
		return err
	}
	kind, err := tasks.Lookup(p.Kind)
	if err != nil {
		return err
	}
	return c.send(ctx, kind, asynqtask.JobRef{Job: id, Generation: p.Generation}, p.Payload)
}

func deadlineOf(p queue.Pulse) time.Time {
	kind, err := tasks.Lookup(p.Kind)
	if err != nil {
		return time.Time{}
	}
	j, err := kind.Decode(p.Payload)
	if err != nil {
		return time.Time{}
	}
	return j.JobTerms().Deadline
}
