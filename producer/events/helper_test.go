package events_test

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/producer/events"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// env is a reader, and a client that writes to the stream.
type env struct {
	*events.Reader
	client redis.UniversalClient
}

func open(t *testing.T, o redisconn.Options) env {
	t.Helper()
	e := env{events.NewReader(o), o.Client()}
	t.Cleanup(func() { _, _ = e.Close(), e.client.Close() })
	return e
}

func (e env) group(name, consumer string) events.Group {
	return e.Group(e.client, name, consumer)
}

// emit puts events e0, e1 ... into the stream, from one number to
// before another.
func (e env) emit(t *testing.T, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		err := queue.NewStore(e.client).Emit(t.Context(), tasks.Event{
			ID: fmt.Sprint("e", i), Type: tasks.EventProgress, Job: "j", Kind: "build-manifest", State: tasks.StateRunning,
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// emitUnreadable puts an entry into the stream that is not an event.
func (e env) emitUnreadable(t *testing.T) {
	t.Helper()
	err := e.client.XAdd(t.Context(), &redis.XAddArgs{
		Stream: queue.EventsStream, Values: []any{"a", "b"},
	}).Err()
	if err != nil {
		t.Fatal(err)
	}
}

// trim drops all events but the newest.
func (e env) trim(t *testing.T, keep int64) {
	t.Helper()
	if err := e.client.XTrimMaxLen(t.Context(), queue.EventsStream, keep).Err(); err != nil {
		t.Fatal(err)
	}
}

// outage is longer than a client of Redis tries by itself.
const outage = 3 * time.Second

// after calls a function while the test goes on. The test must call
// wait.
func after(d time.Duration, f func()) (wait func()) {
	done := make(chan struct{})
	time.AfterFunc(d, func() {
		defer close(done)
		f()
	})
	return func() { <-done }
}

// collect reads events to the end of an iteration. For an error it
// returns the word lost, unreadable or refused.
func collect(all iter.Seq2[events.Event, error]) (ids []string, positions []string) {
	for e, err := range all {
		switch {
		case errors.Is(err, events.ErrLost):
			ids = append(ids, "lost")
		case err != nil && e.Position != "":
			ids = append(ids, "unreadable")
		case err != nil:
			ids = append(ids, "refused")
		default:
			ids = append(ids, e.ID)
		}
		positions = append(positions, e.Position)
	}
	return ids, positions
}

func wantEvents(t *testing.T, got []string, want string) {
	t.Helper()
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got %q, want %q", s, want)
	}
}

// onBoth runs a test on the embedded Redis and on a real one.
func onBoth(t *testing.T, test func(*testing.T, env)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { t.Parallel(); test(t, open(t, queuetest.Embedded(t))) })
	t.Run("redis", func(t *testing.T) { t.Parallel(); test(t, open(t, queuetest.Start(t).Options())) })
}
