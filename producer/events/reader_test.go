package events_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/producer/events"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

func TestEventsFromAPosition(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, e env) {
		none, _ := collect(e.Events(t.Context(), events.Oldest, events.SoFar()))
		wantEvents(t, none, "")
		e.emit(t, 0, 4)
		all, positions := collect(e.Events(t.Context(), events.Oldest, events.SoFar()))
		wantEvents(t, all, "e0 e1 e2 e3")
		rest, _ := collect(e.Events(t.Context(), positions[1], events.SoFar()))
		wantEvents(t, rest, "e2 e3")
		rest, _ = collect(e.Events(t.Context(), events.New, events.SoFar()))
		wantEvents(t, rest, "")
		wrong, _ := collect(e.Events(t.Context(), "yesterday"))
		wantEvents(t, wrong, "refused")
	})
}

func TestManyEvents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, e env) {
		e.emit(t, 0, 250)
		got, _ := collect(e.Events(t.Context(), events.Oldest, events.SoFar()))
		if len(got) != 250 || got[0] != "e0" || got[249] != "e249" {
			t.Errorf("%d events: %v", len(got), got)
		}
	})
}

func TestEventsFollow(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, e env) {
		e.emit(t, 0, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var got []string
		for event, err := range e.Events(ctx, events.Oldest) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, event.ID); len(got) < 3 {
				e.emit(t, len(got), len(got)+1)
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
	onBoth(t, func(t *testing.T, e env) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		start := time.Now()
		got, _ := collect(e.Events(ctx, events.New))
		wantEvents(t, got, "")
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("ended after %v", took)
		}
	})
}

func TestCloseEndsEvents(t *testing.T) {
	t.Parallel()
	e := open(t, queuetest.Embedded(t))
	ended := make(chan []string, 1)
	go func() {
		got, _ := collect(e.Events(t.Context(), events.Oldest))
		ended <- got
	}()
	time.AfterFunc(100*time.Millisecond, func() { _ = e.Close() })
	select {
	case got := <-ended:
		wantEvents(t, got, "refused")
	case <-time.After(5 * time.Second):
		t.Error("the iteration goes on")
	}
}

func TestEventsSurviveOutage(t *testing.T) {
	t.Parallel()
	server := queuetest.Start(t)
	e := open(t, server.Options())
	e.emit(t, 0, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []string
	wait := func() {}
	for event, err := range e.Events(ctx, events.Oldest) {
		if err != nil {
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

func TestLateReaderLearnsOfLostEvents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, e env) {
		e.emit(t, 0, 5)
		_, positions := collect(e.Events(t.Context(), events.Oldest, events.SoFar()))
		e.trim(t, 2)
		late, _ := collect(e.Events(t.Context(), positions[0], events.SoFar()))
		wantEvents(t, late, "lost e3 e4")
		early, _ := collect(e.Events(t.Context(), positions[3], events.SoFar()))
		wantEvents(t, early, "e4")
		oldest, _ := collect(e.Events(t.Context(), events.Oldest, events.SoFar()))
		wantEvents(t, oldest, "e3 e4")
	})
}

// Events leave the stream while a reader is slow.
func TestSlowReaderLearnsOfLostEvents(t *testing.T) {
	t.Parallel()
	e := open(t, queuetest.Embedded(t))
	e.emit(t, 0, 120)
	var got []string
	for event, err := range e.Events(t.Context(), events.Oldest, events.SoFar()) {
		if err != nil {
			got = append(got, "lost")
			continue
		}
		if event.ID == "e0" {
			e.emit(t, 120, 300)
			e.trim(t, 150)
		}
		got = append(got, event.ID)
	}
	if i := slices.Index(got, "lost"); i != 100 || got[99] != "e99" || got[101] != "e150" || len(got) != 251 {
		t.Errorf("lost at %d: %v", i, got)
	}
}

func TestUnreadableEventDoesNotEndTheIteration(t *testing.T) {
	t.Parallel()
	e := open(t, queuetest.Embedded(t))
	e.emit(t, 0, 1)
	e.emitUnreadable(t)
	e.emit(t, 2, 3)
	got, _ := collect(e.Events(t.Context(), events.Oldest, events.SoFar()))
	wantEvents(t, got, "e0 unreadable e2")
}
