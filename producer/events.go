package producer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// Where events can be read from, besides the Position of an event.
const (
	EventsOldest = ""  // the oldest event that is kept
	EventsNew    = "$" // only what happens from the beginning of the iteration on
)

// ErrEventsLost means that events may have been dropped before they were
// read: about 50,000 are kept.
var ErrEventsLost = errors.New("events may have been dropped before they were read")

// beginning is the position before all events.
const beginning = "0-0"

// batch is how many events are read at once.
const batch = 100

// Event is something that happened to a job, with its place in the stream. An
// event may come twice, with the same ID and another Position.
type Event struct {
	tasks.Event
	Position string `json:"position"`
}

// ReadOption changes how events are read.
type ReadOption func(*reading)

type reading struct {
	soFar bool
	idle  time.Duration
}

// SoFar ends the iteration where it would have to wait for the next event.
// Redis being away then is an error.
func SoFar() ReadOption { return func(r *reading) { r.soFar = true } }

func readingOf(options []ReadOption) reading {
	r := reading{idle: time.Minute}
	for _, o := range options {
		o(&r)
	}
	return r
}

// block is how long a read waits for an event.
func (r reading) block() time.Duration {
	if r.soFar {
		return -1
	}
	return min(blockFor, r.idle)
}

// Events yields what happens to all jobs, in order, from a position on:
// EventsOldest, EventsNew, the Position of the last event that was dealt
// with, or a Unix time in milliseconds. It goes on until ctx ends, which is
// not an error, or the caller breaks. Redis being away for a while does not
// end it. Each iteration costs a connection; it can be ranged over again.
//
// ErrEventsLost is yielded, and the iteration goes on, when the oldest event
// that is kept is younger than the position. An entry that cannot be read is
// yielded as an error with its Position, and the iteration goes on too. Any
// other error is a refusal of Redis, for example of a position that is none,
// or Close, and ends it.
//
// Events are delivered at least once: the last ones may come again after an
// interruption, and rarely one event comes twice in a row, with the same ID.
func (c *Client) Events(ctx context.Context, after string, options ...ReadOption) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		t := tail{at: after, unsure: after != EventsOldest && after != EventsNew}
		if after == EventsOldest {
			t.at = beginning
		}
		c.stream(ctx, readingOf(options), t.next, yield)
	}
}

// tail is how far an iteration is.
type tail struct {
	at     string
	unsure bool // whether all events since then are still there
}

// next reads the next events. Since tens of thousands are kept, none is
// missing as long as few are ahead.
func (t *tail) next(ctx context.Context, line redis.UniversalClient, block time.Duration) (events []redis.XMessage, err error) {
	if t.at == EventsNew {
		if t.at, err = newest(ctx, line); err != nil {
			t.at = EventsNew
			return nil, err
		}
	}
	events, err = read(ctx, line, t.at, block)
	if err != nil {
		t.unsure = t.at != beginning
		return nil, err
	}
	if len(events) == 0 {
		return nil, nil
	}
	if t.at != beginning && (t.unsure || len(events) == batch) {
		err = lost(ctx, line, t.at)
	}
	if err == nil || errors.Is(err, ErrEventsLost) {
		t.at, t.unsure = events[len(events)-1].ID, false
	}
	return events, err
}

// lost is ErrEventsLost when the oldest event lies after a position.
func lost(ctx context.Context, line redis.UniversalClient, at string) error {
	oldest, err := line.XRangeN(ctx, queue.EventsStream, "-", "+", 1).Result()
	if err != nil || len(oldest) == 0 || !before(at, oldest[0].ID) {
		return err
	}
	return fmt.Errorf("%w: the oldest that is kept is %s, after %s", ErrEventsLost, oldest[0].ID, at)
}

// before compares positions, each a time in milliseconds and a number, which
// may be missing.
func before(a, b string) bool {
	timeA, numberA := splitPosition(a)
	timeB, numberB := splitPosition(b)
	return timeA < timeB || timeA == timeB && numberA < numberB
}

func splitPosition(p string) (millis, n uint64) {
	t, rest, _ := strings.Cut(p, "-")
	millis, _ = strconv.ParseUint(t, 10, 64) // Redis has accepted it
	n, _ = strconv.ParseUint(rest, 10, 64)
	return millis, n
}

// next reads the next events from a connection. With ErrEventsLost there may
// be events all the same.
type next func(ctx context.Context, line redis.UniversalClient, block time.Duration) ([]redis.XMessage, error)

// stream yields what next reads.
func (c *Client) stream(ctx context.Context, r reading, more next, yield func(Event, error) bool) {
	line, hangUp := c.lines.line(ctx)
	defer hangUp()
	for ctx.Err() == nil {
		events, err := more(ctx, line, r.block())
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrEventsLost):
			if !yield(Event{}, err) {
				return
			}
		case err != nil && passing(err) && !r.soFar:
			pause(ctx, tryEvery)
			continue
		case err != nil:
			yield(Event{}, c.explain(err))
			return
		case len(events) == 0 && r.soFar:
			return
		}
		for _, m := range events {
			if e, err := decode(m); ctx.Err() != nil || !yield(e, err) {
				return
			}
		}
	}
}

func decode(m redis.XMessage) (Event, error) {
	if len(m.Values) == 0 {
		return Event{Position: m.ID}, fmt.Errorf("%w: %s, after it was delivered", ErrEventsLost, m.ID)
	}
	e, err := queue.DecodeEvent(m)
	return Event(e), err
}
