package queue

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/lua"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
	"github.com/stevedore-jobs/stevedore/tasks/queue/tracked"
)

// conn does what several roles need, through one client.
type conn struct{ client redis.UniversalClient }

// run runs a script on the keys of a job.
func (c conn) run(ctx context.Context, s *lua.Script, id string, args lua.Args) *redis.Cmd {
	return s.Run(ctx, c.client, id, args)
}

// tracked returns the jobs that reapers look at.
func (c conn) tracked() tracked.Jobs { return tracked.New(c.client) }

// flush puts the last event of a job into the stream, if the stream
// does not have it yet, and untracks the job if it has ended.
//
// On a cluster the stream and the record may be on different nodes, so
// one step cannot write both. Instead the event waits in the record
// until somebody has sent it, perhaps twice.
func (c conn) flush(ctx context.Context, id string) error {
	event, err := c.client.HGet(ctx, schema.RecordKey(id), schema.Outbox).Bytes()
	if err != nil && !errors.Is(err, redis.Nil) {
		return redisconn.Wrap(err, "read the last event of job %s", id)
	}
	return c.flushEvent(ctx, id, event)
}

// flushEvent is flush for an event that is known.
func (c conn) flushEvent(ctx context.Context, id string, event []byte) error {
	if len(event) > 0 {
		if err := c.sendEvent(ctx, id, event); err != nil {
			return err
		}
	}

	state, err := c.emptyOutbox(ctx, id, event)
	if err != nil {
		return redisconn.Wrap(err, "untrack job %s", id)
	}
	if state == "" || state.Final() {
		return nil
	}
	return c.tracked().Track(ctx, id, false) // it runs, or a retry has begun in between
}

// emptyOutbox untracks a job, removes the event from its outbox, and
// then reads its state, "" without a record. The state must be read
// last: if a retry has begun by then, the job is tracked again.
func (c conn) emptyOutbox(ctx context.Context, id string, event []byte) (tasks.State, error) {
	var state *redis.Cmd

	// A pipeline saves a round trip. The nodes of a cluster would not
	// keep its order.
	if _, isCluster := c.client.(*redis.ClusterClient); isCluster {
		if err := c.tracked().Untrack(ctx, id); err != nil {
			return "", err
		}
		state = c.run(ctx, lua.Flush, id, lua.Args{"event": event})
	} else {
		_, _ = c.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.ZRem(ctx, schema.ActiveKey, id)
			state = lua.Flush.Eval(ctx, p, id, lua.Args{"event": event})
			return nil
		})
	}
	text, err := state.Text()
	return tasks.State(text), err
}
