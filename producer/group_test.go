package producer_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// take reads what a consumer is given so far, and acknowledges some of it.
func take(t *testing.T, g producer.Group, ack string, options ...producer.ReadOption) []string {
	t.Helper()
	var got []string
	for e, err := range g.Events(t.Context(), append(options, producer.SoFar())...) {
		if err != nil {
			got = append(got, "lost")
			continue
		}
		got = append(got, e.ID)
		if strings.Contains(ack, e.ID) {
			for range 2 { // twice is once
				if err := g.Ack(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return got
}

func TestGroupGivesBackWhatWasNotAcknowledged(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		c, r := client(t, o), records(t, o)
		emit(t, r, 0, 4)
		wantEvents(t, take(t, c.Group("billing", "a"), "e0 e2"), "e0 e1 e2 e3")
		emit(t, r, 4, 5)
		wantEvents(t, take(t, c.Group("billing", "b"), "e4"), "e4")          // shares the group, and gets what is new
		wantEvents(t, take(t, c.Group("billing", "a"), "e1 e3"), "e1 e3")    // goes on after a restart
		wantEvents(t, take(t, c.Group("billing", "a"), ""), "")              // nothing is left
		wantEvents(t, take(t, c.Group("mail", "a"), ""), "e0 e1 e2 e3 e4")   // another group has its own
		wantEvents(t, take(t, c.Group("mail", "a"), "e0"), "e0 e1 e2 e3 e4") // and gets all again
	})
}

func TestGroupOfMoreThanABatch(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		c, r := client(t, o), records(t, o)
		emit(t, r, 0, 35)
		if got := take(t, c.Group("g", "a"), ""); len(got) != 35 || got[34] != "e34" {
			t.Errorf("new: %v", got)
		}
		if got := take(t, c.Group("g", "a"), ""); len(got) != 35 || got[34] != "e34" {
			t.Errorf("again: %v", got)
		}
	})
}

// What a dead consumer had goes to the next one that asks, once it was idle
// for so long.
func TestGroupTakesOverFromTheDead(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		c, r := client(t, o), records(t, o)
		emit(t, r, 0, 12)
		if got := take(t, c.Group("g", "dead"), "e0"); len(got) != 12 {
			t.Fatal(got)
		}
		emit(t, r, 12, 13)
		wantEvents(t, take(t, c.Group("g", "alive"), "e12"), "e12") // a minute has not gone by
		var got []string
		queuetest.Eventually(t, 5*time.Second, "what the dead had is taken over", func() bool {
			got = append(got, take(t, c.Group("g", "alive"), "e1 e2 e3 e4 e5 e6 e7 e8 e9 e10 e11", producer.Idle(200*time.Millisecond))...)
			return len(got) == 11
		})
		wantEvents(t, got, "e1 e2 e3 e4 e5 e6 e7 e8 e9 e10 e11")
		wantEvents(t, take(t, c.Group("g", "dead"), ""), "")
	})
}

func TestGroupBeginsWhereItWasTold(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		c, r := client(t, o), records(t, o)
		emit(t, r, 0, 2)
		g := c.Group("g", "a")
		for _, after := range []string{producer.EventsNew, producer.EventsOldest} { // the second changes nothing
			if err := g.Create(t.Context(), after); err != nil {
				t.Fatal(err)
			}
		}
		emit(t, r, 2, 3)
		wantEvents(t, take(t, g, ""), "e2")
	})
}

func TestGroupFollows(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		c, r := client(t, o), records(t, o)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		wait := after(50*time.Millisecond, func() { emit(t, r, 0, 1) })
		var got []string
		g := c.Group("g", "a")
		for e, err := range g.Events(ctx, producer.Idle(10*time.Millisecond)) { // it reads many times in vain
			if err == nil {
				err = g.Ack(ctx, e)
			}
			if err != nil {
				t.Fatal(err)
			}
			wait()
			if got = append(got, e.ID); len(got) == 1 {
				wait = after(50*time.Millisecond, func() { emit(t, r, 1, 2) })
				continue
			}
			cancel()
		}
		wantEvents(t, got, "e0 e1")
	})
}

func TestGroupTellsOfLostEvents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		c, r, raw := client(t, o), records(t, o), stream(t, o)
		emit(t, r, 0, 1)
		wantEvents(t, take(t, c.Group("g", "a"), "e0"), "e0")
		emit(t, r, 1, 5)
		trim(t, raw, 2)
		wantEvents(t, take(t, c.Group("g", "a"), "e3 e4"), "lost e3 e4")
		wantEvents(t, take(t, c.Group("g", "a"), ""), "")
	})
}

// The same of an event that a dead consumer had.
func TestGroupTellsOfADeadConsumersEventThatIsGone(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	c, r, raw := client(t, o), records(t, o), stream(t, o)
	emit(t, r, 0, 2)
	wantEvents(t, take(t, c.Group("g", "dead"), ""), "e0 e1")
	trim(t, raw, 1)
	var got []string
	queuetest.Eventually(t, 5*time.Second, "what the dead had is taken over", func() bool {
		got = append(got, take(t, c.Group("g", "alive"), "e1", producer.Idle(200*time.Millisecond))...)
		return len(got) > 1
	})
	slices.Sort(got)
	wantEvents(t, got, "e1 lost")
}

// An event that was delivered, never acknowledged, and dropped meanwhile is
// told of once. (The embedded Redis forgets it.)
func TestGroupTellsOfADeliveredEventThatIsGone(t *testing.T) {
	t.Parallel()
	o := queuetest.Start(t).Options()
	c, r, raw := client(t, o), records(t, o), stream(t, o)
	emit(t, r, 0, 2)
	wantEvents(t, take(t, c.Group("g", "a"), ""), "e0 e1")
	trim(t, raw, 1)
	wantEvents(t, take(t, c.Group("g", "a"), ""), "lost e1")
	wantEvents(t, take(t, c.Group("g", "a"), ""), "e1")
}

// Redis comes back empty, and the group with it.
func TestGroupOutlastsAnEmptiedRedis(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o redisconn.Options) {
		c, r, raw := client(t, o), records(t, o), stream(t, o)
		emit(t, r, 0, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var got []string
		for e, err := range c.Group("g", "a").Events(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, e.ID); len(got) == 2 {
				break
			}
			if err := raw.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			emit(t, r, 1, 2)
		}
		wantEvents(t, got, "e0 e1")
	})
}

func TestGroupOutlastsRedis(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	c, r := client(t, server.Options()), records(t, server.Options())
	emit(t, r, 0, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []string
	g, wait := c.Group("g", "a"), func() {}
	for e, err := range g.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Ack(ctx, e); err != nil {
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

// An entry that no reader understands can be acknowledged by its position.
func TestGroupUnreadableEvent(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	g, raw := client(t, o).Group("g", "a"), stream(t, o)
	if err := raw.XAdd(t.Context(), &redis.XAddArgs{Stream: queue.EventsStream, Values: []any{"a", "b"}}).Err(); err != nil {
		t.Fatal(err)
	}
	for e, err := range g.Events(t.Context(), producer.SoFar()) {
		if err == nil {
			t.Errorf("read %+v", e)
		}
		if err := g.Ack(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	wantEvents(t, take(t, g, ""), "")
}
