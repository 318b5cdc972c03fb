package producer

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// groupBatch is how many events a consumer takes at once: few, since others
// get them only when it dies.
const groupBatch = 10

// Group is one consumer of a consumer group. The consumers of a group share
// the events out among them, and Redis remembers which have been
// acknowledged. It may be used by many goroutines at once, but each iteration
// needs a consumer of its own.
type Group struct {
	client         *Client
	name, consumer string
}

// Group names a consumer of a group; nothing is sent. A consumer that keeps
// its name, for example its host's, goes on after a restart with what it had
// left.
func (c *Client) Group(name, consumer string) Group { return Group{c, name, consumer} }

// Idle says after how long an event that was delivered and not acknowledged
// is delivered again, to whichever consumer asks next; by default a minute.
// It must be longer than dealing with ten events takes, and the same for all
// consumers of a group.
func Idle(d time.Duration) ReadOption {
	return func(r *reading) { r.idle = max(d, time.Millisecond) }
}

// Create makes the group, to begin after a position as in Events, unless it
// is there: then it stays as it is. Without Create, Group.Events makes the
// group, to begin with the oldest event that is kept.
func (g Group) Create(ctx context.Context, after string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if after == EventsOldest {
		after = beginning
	}
	return g.client.explain(g.create(ctx, g.client.redis, after))
}

func (g Group) create(ctx context.Context, line redis.UniversalClient, after string) error {
	err := line.XGroupCreateMkStream(ctx, queue.EventsStream, g.name, after).Err()
	if err != nil && strings.HasPrefix(err.Error(), "BUSYGROUP") {
		return nil
	}
	return redisconn.Wrap(err, "create the group %s", g.name)
}

// Events yields events until ctx ends, as Client.Events does, and with the
// same errors: first those that this consumer got earlier and has not
// acknowledged, then those that other consumers have left unacknowledged (see
// Idle), then new ones, each to one consumer of the group. An event that is
// never acknowledged comes again and again.
func (g Group) Events(ctx context.Context, options ...ReadOption) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		r := readingOf(options)
		s := share{group: g, idle: r.idle, own: beginning, unsure: true}
		g.client.stream(ctx, r, s.next, yield)
	}
}

// Ack tells that events have been dealt with: no consumer of the group gets
// them again. It is safe to call twice.
func (g Group) Ack(ctx context.Context, events ...Event) error {
	positions := make([]string, 0, len(events))
	for _, e := range events {
		if e.Position != "" {
			positions = append(positions, e.Position)
		}
	}
	if len(positions) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := g.client.redis.XAck(ctx, queue.EventsStream, g.name, positions...).Err()
	return g.client.explain(redisconn.Wrap(err, "acknowledge events to the group %s", g.name))
}
