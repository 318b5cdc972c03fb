// Package events reads the stream of what happens to jobs, for all
// jobs together: from a position on, as one of a group of consumers,
// or only to learn when to look at a job again.
//
// The stream keeps about the last 50,000 events. Each is delivered at
// least once: the last ones may come again after an interruption, and
// rarely one event comes twice in a row. A repetition has the same
// ID.
package events

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Where reading can begin, other than at the Position of an event.
const (
	Oldest = ""  // the oldest event in the stream
	New    = "$" // only what happens after the iteration has begun
)

// ErrLost means that events may have left the stream before they were
// read.
var ErrLost = errors.New("events may have been dropped before they were read")

// Event is something that happened to a job, with its place in the
// stream. A repetition has the same ID and another Position.
type Event struct {
	tasks.Event
	Position string `json:"position"`
}

// Reader reads the stream. It is safe for concurrent use.
type Reader struct {
	// Outage, if not nil, notes when an iteration finds that Redis is
	// away or back. It must be set before the first iteration.
	Outage *redisconn.Outage

	conns *streamConns
}

// NewReader returns a Reader. It connects when an iteration begins.
// The caller closes it.
func NewReader(o redisconn.Options) *Reader { return &Reader{conns: &streamConns{options: o}} }

// Close ends all iterations with an error.
func (r *Reader) Close() error { return r.conns.close() }

// Option changes how events are read.
type Option func(*settings)

type settings struct {
	soFar bool
	idle  time.Duration
}

// SoFar ends the iteration when it would have to wait for the next
// event. With this option an outage of Redis ends it, too, with an
// error.
func SoFar() Option { return func(s *settings) { s.soFar = true } }

// Idle says after how long an event that was delivered and not
// acknowledged is delivered again, to any consumer of the group. The
// default is a minute. It must be longer than the work on ten events
// takes, and the same for all consumers of a group.
func Idle(d time.Duration) Option {
	return func(s *settings) { s.idle = max(d, time.Millisecond) }
}

func settingsOf(options []Option) settings {
	s := settings{idle: time.Minute}
	for _, o := range options {
		o(&s)
	}
	return s
}

// block returns how long a read waits for an event.
func (s settings) block() time.Duration {
	if s.soFar {
		return -1
	}
	return min(maxBlock, s.idle)
}

// Events yields the events after a position, in order: Oldest, New,
// the Position of the last event that was handled, or a Unix time in
// milliseconds. It goes on until ctx ends, which is not an error, or
// the caller breaks. An outage of Redis does not end it. Each
// iteration needs a connection; it can be ranged over again.
//
// Two errors do not end the iteration. ErrLost says that the oldest
// event in the stream is newer than the position. An error with a
// Position is about an entry that cannot be read. Any other error
// ends it: Redis has refused the read, for example for a malformed
// position, or Close was called.
func (r *Reader) Events(
	ctx context.Context, after string, options ...Option,
) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		t := tail{at: after, unsure: after != Oldest && after != New}
		if after == Oldest {
			t.at = beginning
		}
		r.stream(ctx, settingsOf(options), t.next, yield)
	}
}

// nextFunc reads the next events from a connection. It may return
// events together with ErrLost.
type nextFunc func(
	ctx context.Context, c redis.UniversalClient, block time.Duration,
) ([]redis.XMessage, error)

// stream yields what next reads.
func (r *Reader) stream(
	ctx context.Context, s settings, next nextFunc, yield func(Event, error) bool,
) {
	c, release := r.conns.connect(ctx)
	defer release()
	for ctx.Err() == nil {
		found, err := next(ctx, c, s.block())
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrLost):
			if !yield(Event{}, err) {
				return
			}
		case err != nil && isTransient(err) && !s.soFar:
			r.Outage.Note(r.conns.options.Explain(err))
			pause(ctx, retryPause)
			continue
		case err != nil:
			yield(Event{}, r.conns.options.Explain(err))
			return
		case len(found) == 0 && s.soFar:
			return
		}
		r.Outage.Note(nil)
		for _, m := range found {
			if e, err := decode(m); ctx.Err() != nil || !yield(e, err) {
				return
			}
		}
	}
}

// decode reads an entry. One without content was delivered to a
// group, and left the stream before it was acknowledged.
func decode(m redis.XMessage) (Event, error) {
	if len(m.Values) == 0 {
		return Event{Position: m.ID}, fmt.Errorf("%w: %s, after it was delivered", ErrLost, m.ID)
	}
	e, err := queue.DecodeEvent(m)
	return Event(e), err
}
