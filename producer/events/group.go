package events

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Group is one consumer of a consumer group. The consumers of a group
// share the events, and Redis remembers which are acknowledged. It is
// safe for concurrent use, but each iteration needs a consumer of its
// own.
type Group struct {
	reader         *Reader
	client         redis.UniversalClient
	name, consumer string
}

// Group names a consumer of a group. It sends nothing. c is for the
// calls that do not wait for events; the caller closes it.
//
// A consumer that keeps its name, for example the name of its host,
// goes on after a restart with the events that it has not
// acknowledged.
func (r *Reader) Group(c redis.UniversalClient, name, consumer string) Group {
	return Group{r, c, name, consumer}
}

// Create makes the group, unless it exists. The group begins after a
// position, as in Reader.Events. Without Create, Events makes the
// group, which then begins with the oldest event in the stream.
func (g Group) Create(ctx context.Context, after string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if after == Oldest {
		after = beginning
	}
	return g.explain(g.create(ctx, g.client, after))
}

// callTimeout is how long a call that waits for no event may take.
const callTimeout = 5 * time.Second

func (g Group) create(ctx context.Context, c redis.UniversalClient, after string) error {
	err := c.XGroupCreateMkStream(ctx, queue.EventsStream, g.name, after).Err()
	if err != nil && strings.HasPrefix(err.Error(), "BUSYGROUP") {
		return nil // it exists
	}
	return redisconn.Wrap(err, "create the group %s", g.name)
}

// Events yields events until ctx ends, like Reader.Events and with
// the same errors. First come those that this consumer got earlier
// and has not acknowledged, then those that other consumers have left
// (see Idle), then new ones. Each event goes to one consumer of the
// group. One that is never acknowledged comes again and again.
func (g Group) Events(ctx context.Context, options ...Option) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		s := settingsOf(options)
		r := groupReader{group: g, idle: s.idle, pendingAt: beginning, unsure: true}
		g.reader.stream(ctx, s, r.next, yield)
	}
}

// Ack says that events were handled: no consumer of the group gets
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

	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := g.client.XAck(ctx, queue.EventsStream, g.name, positions...).Err()
	return g.explain(redisconn.Wrap(err, "acknowledge events to the group %s", g.name))
}

func (g Group) explain(err error) error { return g.reader.conns.options.Explain(err) }
