package events_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/producer/events"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// take reads what a consumer gets so far, and acknowledges those
// whose IDs are in ack.
func take(t *testing.T, g events.Group, ack string, options ...events.Option) []string {
	t.Helper()
	var got []string
	for event, err := range g.Events(t.Context(), append(options, events.SoFar())...) {
		if err != nil {
			got = append(got, "lost")
			continue
		}
		got = append(got, event.ID)
		if strings.Contains(ack, event.ID) {
			for range 2 { // a second call changes nothing
				if err := g.Ack(t.Context(), event); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return got
}

func TestGroupGivesBackWhatWasNotAcknowledged(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, e env) {
		e.emit(t, 0, 4)
		wantEvents(t, take(t, e.group("billing", "a"), "e0 e2"), "e0 e1 e2 e3")
		e.emit(t, 4, 5)
		wantEvents(t, take(t, e.group("billing", "b"), "e4"), "e4")          // shares the group: only new ones
		wantEvents(t, take(t, e.group("billing", "a"), "e1 e3"), "e1 e3")    // after a restart
		wantEvents(t, take(t, e.group("billing", "a"), ""), "")              // all are acknowledged
		wantEvents(t, take(t, e.group("mail", "a"), ""), "e0 e1 e2 e3 e4")   // another group gets all
		wantEvents(t, take(t, e.group("mail", "a"), "e0"), "e0 e1 e2 e3 e4") // and again
	})
}

func TestGroupOfMoreThanABatch(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, e env) {
		e.emit(t, 0, 35)
		if got := take(t, e.group("g", "a"), ""); len(got) != 35 || got[34] != "e34" {
			t.Errorf("new: %v", got)
		}
		if got := take(t, e.group("g", "a"), ""); len(got) != 35 || got[34] != "e34" {
			t.Errorf("again: %v", got)
		}
	})
}

// The events of a dead consumer go to the next one that asks, after
// the idle time.
func TestGroupReclaimsFromTheDead(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, e env) {
		e.emit(t, 0, 12)
		if got := take(t, e.group("g", "dead"), "e0"); len(got) != 12 {
			t.Fatal(got)
		}
		e.emit(t, 12, 13)
		wantEvents(t, take(t, e.group("g", "alive"), "e12"), "e12") // a minute has not passed
		var got []string
		queuetest.Eventually(t, 5*time.Second, "the events of the dead consumer are reclaimed", func() bool {
			got = append(got, take(t, e.group("g", "alive"), "e1 e2 e3 e4 e5 e6 e7 e8 e9 e10 e11", events.Idle(200*time.Millisecond))...)
			return len(got) == 11
		})
		wantEvents(t, got, "e1 e2 e3 e4 e5 e6 e7 e8 e9 e10 e11")
		wantEvents(t, take(t, e.group("g", "dead"), ""), "")
	})
}

func TestGroupBeginsAfterAPosition(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, e env) {
		e.emit(t, 0, 2)
		g := e.group("g", "a")
		for _, after := range []string{events.New, events.Oldest} { // the second changes nothing
			if err := g.Create(t.Context(), after); err != nil {
				t.Fatal(err)
			}
		}
		e.emit(t, 2, 3)
		wantEvents(t, take(t, g, ""), "e2")
	})
}

func TestGroupFollows(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, e env) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		wait := after(50*time.Millisecond, func() { e.emit(t, 0, 1) })
		var got []string
		g := e.group("g", "a")
		for event, err := range g.Events(ctx, events.Idle(10*time.Millisecond)) { // it reads many times without an event
			if err == nil {
				err = g.Ack(ctx, event)
			}
			if err != nil {
				t.Fatal(err)
			}
			wait()
			if got = append(got, event.ID); len(got) == 1 {
				wait = after(50*time.Millisecond, func() { e.emit(t, 1, 2) })
				continue
			}
			cancel()
		}
		wantEvents(t, got, "e0 e1")
	})
}

func TestGroupLearnsOfLostEvents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, e env) {
		e.emit(t, 0, 1)
		wantEvents(t, take(t, e.group("g", "a"), "e0"), "e0")
		e.emit(t, 1, 5)
		e.trim(t, 2)
		wantEvents(t, take(t, e.group("g", "a"), "e3 e4"), "lost e3 e4")
		wantEvents(t, take(t, e.group("g", "a"), ""), "")
	})
}

// An event of a dead consumer has left the stream.
func TestGroupLearnsOfALostEventOfTheDead(t *testing.T) {
	t.Parallel()
	e := open(t, queuetest.Start(t).Options())
	e.emit(t, 0, 2)
	wantEvents(t, take(t, e.group("g", "dead"), ""), "e0 e1")
	e.trim(t, 1)
	var got []string
	queuetest.Eventually(t, 5*time.Second, "the events of the dead consumer are reclaimed", func() bool {
		got = append(got, take(t, e.group("g", "alive"), "e1", events.Idle(200*time.Millisecond))...)
		return len(got) > 1
	})
	slices.Sort(got)
	wantEvents(t, got, "e1 lost")
}

// An event was delivered, not acknowledged, and has left the stream.
// Its consumer learns of it once. (The embedded Redis forgets such an
// event.)
func TestGroupLearnsOfALostPendingEvent(t *testing.T) {
	t.Parallel()
	e := open(t, queuetest.Start(t).Options())
	e.emit(t, 0, 2)
	wantEvents(t, take(t, e.group("g", "a"), ""), "e0 e1")
	e.trim(t, 1)
	wantEvents(t, take(t, e.group("g", "a"), ""), "lost e1")
	wantEvents(t, take(t, e.group("g", "a"), ""), "e1")
}

// Redis loses all data, the group too.
func TestGroupSurvivesAnEmptiedRedis(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, e env) {
		e.emit(t, 0, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var got []string
		for event, err := range e.group("g", "a").Events(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, event.ID); len(got) == 2 {
				break
			}
			if err := e.client.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			e.emit(t, 1, 2)
		}
		wantEvents(t, got, "e0 e1")
	})
}

func TestGroupSurvivesOutage(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	e := open(t, server.Options())
	e.emit(t, 0, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []string
	g, wait := e.group("g", "a"), func() {}
	for event, err := range g.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Ack(ctx, event); err != nil {
			t.Fatal(err)
		}
		if got = append(got, event.ID); len(got) == 2 {
			break
		}
		server.Down()
		wait = after(outage, func() {
			server.Up()
			e.emit(t, 1, 2)
		})
	}
	wait()
	wantEvents(t, got, "e0 e1")
}

// An entry that cannot be read can be acknowledged by its position.
func TestGroupUnreadableEvent(t *testing.T) {
	t.Parallel()
	e := open(t, queuetest.Embedded(t))
	g := e.group("g", "a")
	e.emitUnreadable(t)
	for event, err := range g.Events(t.Context(), events.SoFar()) {
		if err == nil {
			t.Errorf("read %+v", event)
		}
		if err := g.Ack(t.Context(), event); err != nil {
			t.Fatal(err)
		}
	}
	wantEvents(t, take(t, g, ""), "")
}
