package producer_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// emit puts events e0, e1 ... from one number to before another into the
// stream.
func emit(t *testing.T, r queue.Records, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		err := r.Emit(t.Context(), tasks.Event{ID: fmt.Sprint("e", i), Type: tasks.EventProgress, Job: "j", Kind: "build-manifest", State: tasks.StateRunning})
		if err != nil {
			t.Error(err)
		}
	}
}

// outage is longer than the Redis client goes on trying by itself.
const outage = 3 * time.Second

// after does something while the test goes on. The test must wait for it.
func after(d time.Duration, f func()) (wait func()) {
	done := make(chan struct{})
	time.AfterFunc(d, func() {
		defer close(done)
		f()
	})
	return func() { <-done }
}

// collect reads events to the end of an iteration; an error is the word lost,
// unreadable or refused in its place.
func collect(events iter.Seq2[producer.Event, error]) (ids []string, positions []string) {
	for e, err := range events {
		switch {
		case errors.Is(err, producer.ErrEventsLost):
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
func onBoth(t *testing.T, test func(*testing.T, redisconn.Options)) {
	t.Run("embedded", func(t *testing.T) { t.Parallel(); test(t, queuetest.Embedded(t)) })
	t.Run("redis", func(t *testing.T) { t.Parallel(); test(t, queuetest.Start(t).Options()) })
}

func TestEventsFromAPosition(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		c := client(t, o)
		none, _ := collect(c.Events(t.Context(), producer.EventsOldest, producer.SoFar()))
		wantEvents(t, none, "")
		emit(t, records(t, o), 0, 4)
		all, positions := collect(c.Events(t.Context(), producer.EventsOldest, producer.SoFar()))
		wantEvents(t, all, "e0 e1 e2 e3")
		rest, _ := collect(c.Events(t.Context(), positions[1], producer.SoFar()))
		wantEvents(t, rest, "e2 e3")
		rest, _ = collect(c.Events(t.Context(), producer.EventsNew, producer.SoFar()))
		wantEvents(t, rest, "")
		wrong, _ := collect(c.Events(t.Context(), "yesterday"))
		wantEvents(t, wrong, "refused")
	})
}

func TestManyEvents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		emit(t, records(t, o), 0, 250)
		got, _ := collect(client(t, o).Events(t.Context(), producer.EventsOldest, producer.SoFar()))
		if len(got) != 250 || got[0] != "e0" || got[249] != "e249" {
			t.Errorf("%d events: %v", len(got), got)
		}
	})
}

func TestEventsFollow(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		c, r := client(t, o), records(t, o)
		emit(t, r, 0, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var got []string
		for e, err := range c.Events(ctx, producer.EventsOldest) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, e.ID); len(got) < 3 {
				emit(t, r, len(got), len(got)+1)
				continue
			}
			cancel() // ends it, without another event or an error
		}
		wantEvents(t, got, "e0 e1 e2")
	})
}

// A reader that waits for events stops at once when its context ends.
func TestEventsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		start := time.Now()
		got, _ := collect(client(t, o).Events(ctx, producer.EventsNew))
		wantEvents(t, got, "")
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("ended after %v", took)
		}
	})
}

func TestCloseEndsEvents(t *testing.T) {
	t.Parallel()
	c := client(t, queuetest.Embedded(t))
	ended := make(chan []string, 1)
	emit(t, records(t, queuetest.Embedded(t)), 0, 1)
	go func() {
		got, _ := collect(c.Events(t.Context(), producer.EventsOldest))
		ended <- got
	}()
	time.AfterFunc(100*time.Millisecond, func() { _ = c.Close() })
	select {
	case got := <-ended:
		wantEvents(t, got, "refused")
	case <-time.After(5 * time.Second):
		t.Error("the iteration goes on")
	}
}

func TestEventsOutlastRedis(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	c, r := client(t, server.Options()), records(t, server.Options())
	emit(t, r, 0, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []string
	wait := func() {}
	for e, err := range c.Events(ctx, producer.EventsOldest) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, e.ID); len(got) == 2 {
			break
		}
		server.Down()
		wait = after(outage, func() {
			server.Up()
			emit(t, r, 1, 2)
		})
	}
	wait()
	wantEvents(t, got, "e0 e1")
}

func stream(t *testing.T, o redisconn.Options) redis.UniversalClient {
	t.Helper()
	raw := o.Client()
	t.Cleanup(func() { _ = raw.Close() })
	return raw
}

func trim(t *testing.T, raw redis.UniversalClient, keep int64) {
	t.Helper()
	if err := raw.XTrimMaxLen(t.Context(), queue.EventsStream, keep).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestLostEventsAreTold(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		c, r, raw := client(t, o), records(t, o), stream(t, o)
		emit(t, r, 0, 5)
		_, positions := collect(c.Events(t.Context(), producer.EventsOldest, producer.SoFar()))
		trim(t, raw, 2)
		late, _ := collect(c.Events(t.Context(), positions[0], producer.SoFar()))
		wantEvents(t, late, "lost e3 e4")
		early, _ := collect(c.Events(t.Context(), positions[3], producer.SoFar()))
		wantEvents(t, early, "e4")
		oldest, _ := collect(c.Events(t.Context(), producer.EventsOldest, producer.SoFar()))
		wantEvents(t, oldest, "e3 e4")
	})
}

// A slow reader falls behind while it reads.
func TestLostEventsAreToldOnTheWay(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	r, raw := records(t, o), stream(t, o)
	emit(t, r, 0, 120)
	var got []string
	for e, err := range client(t, o).Events(t.Context(), producer.EventsOldest, producer.SoFar()) {
		if err != nil {
			got = append(got, "lost")
			continue
		}
		if e.ID == "e0" {
			emit(t, r, 120, 300)
			trim(t, raw, 150)
		}
		got = append(got, e.ID)
	}
	if i := slices.Index(got, "lost"); i != 100 || got[99] != "e99" || got[101] != "e150" || len(got) != 251 {
		t.Errorf("lost at %d: %v", i, got)
	}
}

func TestUnreadableEventDoesNotEndTheIteration(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	r, raw := records(t, o), stream(t, o)
	emit(t, r, 0, 1)
	if err := raw.XAdd(t.Context(), &redis.XAddArgs{Stream: queue.EventsStream, Values: []any{"a", "b"}}).Err(); err != nil {
		t.Fatal(err)
	}
	emit(t, r, 2, 3)
	got, _ := collect(client(t, o).Events(t.Context(), producer.EventsOldest, producer.SoFar()))
	wantEvents(t, got, "e0 unreadable e2")
}
