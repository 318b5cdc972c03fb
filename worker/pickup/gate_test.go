package pickup

import (
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/turns"
)

// newIdleGate returns a gate whose queues were all found empty.
func newIdleGate(watched bool, queues ...string) *gate {
	weights := map[string]int{}
	for _, name := range queues {
		weights[name] = 1
	}
	g := newGate(weights, make(chan struct{}))
	for _, name := range queues {
		g.setWatched(name, watched)
	}
	for range queues {
		name, _ := g.await(time.Now())
		g.answered(name, turns.Empty, nil)
	}
	return g
}

// elapsed returns how long await waits, and its answer.
func elapsed(g *gate) (time.Duration, string) {
	began := time.Now()
	name, _ := g.await(began.Add(time.Hour))
	return time.Since(began), name
}

// Without any wake-up Redis is asked regularly. So a wake-up that is
// missed delays a task, and does no more harm.
func TestMissedWakeupDelaysOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		watched bool
		want    time.Duration
	}{{true, pollWatched}, {false, pollBlind}} {
		synctest.Test(t, func(t *testing.T) {
			g := newIdleGate(c.watched, "a")
			for range 3 {
				if took, mine := elapsed(g); took != c.want || mine != "a" {
					t.Errorf("watched %v: asked after %v: %v", c.watched, took, mine)
				}
				g.answered("a", turns.Empty, nil)
			}
		})
	}
}

// A wake-up lets only questions about its own queue pass.
func TestWakeupIsForOneQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newIdleGate(true, "a", "b")
		time.AfterFunc(time.Second, func() { g.wake("b") })
		if took, name := elapsed(g); took != time.Second || name != "b" {
			t.Errorf("queue %q after %v", name, took)
		}
	})
}

// Of the queues that have tasks, each is asked as often as its weight
// says, in a fixed order: none waits longer.
func TestQueuesAreAskedByWeight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(map[string]int{"high": 6, "normal": 3, "low": 1}, make(chan struct{}))
		asked := map[string]int{}
		for range 100 {
			_, name := elapsed(g)
			g.answered(name, turns.Found, nil)
			asked[name]++
		}
		if want := map[string]int{"high": 60, "normal": 30, "low": 10}; !maps.Equal(asked, want) {
			t.Errorf("asked %v", asked)
		}
	})
}

// Tasks that wait for a slot are asked for when a slot is free, those of
// an empty queue are not.
func TestFreeSlotMakesHeldQueuesDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newIdleGate(true, "a", "b")
		freed := make(chan struct{}, 1)
		g.freed = freed
		g.wake("b")
		g.await(time.Now())
		g.answered("b", turns.Held, nil)
		time.AfterFunc(time.Second, func() { freed <- struct{}{} })
		if took, name := elapsed(g); took != time.Second || name != "b" {
			t.Errorf("queue %q after %v", name, took)
		}
	})
}

// A question ends after a while without a task, so that the next one has
// a new time.
func TestQuestionEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newIdleGate(true, "a")
		began := time.Now()
		if name, ok := g.await(began.Add(time.Second)); ok || time.Since(began) != time.Second {
			t.Errorf("%q after %v", name, time.Since(began))
		}
	})
}

// A wake-up that comes while Redis answers "none" counts: the task may
// have come after that.
func TestWakeupDuringQuestionCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newIdleGate(true, "a")
		<-time.After(pollWatched)
		g.await(time.Now())
		g.wake("a")
		g.answered("a", turns.Empty, nil)
		if took, mine := elapsed(g); took != 0 || mine != "a" {
			t.Errorf("asked after %v: %q", took, mine)
		}
	})
}

// After a task Redis is asked again at once, because there may be more.
// After an error it is not asked without a pause.
func TestNextQuestionDependsOnAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state turns.State
		err   error
		want  time.Duration
	}{
		{turns.Found, nil, 0},
		{turns.Empty, nil, pollWatched},
		{turns.Held, nil, pollWatched},
		{turns.Empty, errors.New("broken"), pollBlind},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newIdleGate(true, "a")
			g.wake("a")
			g.await(time.Now())
			g.answered("a", c.state, c.err)
			if took, name := elapsed(g); took != c.want || name != "a" {
				t.Errorf("after answer %d asked after %v: %q", c.state, took, name)
			}
		})
	}
}

// When the watch ends, the queue is soon polled as if it had never been
// watched.
func TestEndOfWatchShortensWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newIdleGate(true, "a")
		time.AfterFunc(time.Second, func() { g.setWatched("a", false) })
		if took, mine := elapsed(g); took != time.Second+pollBlind || mine != "a" {
			t.Errorf("asked after %v: %q", took, mine)
		}
	})
}

// Stop ends a wait, and lets nothing pass any more.
func TestStopEndsWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newIdleGate(true, "a")
		time.AfterFunc(time.Second, g.stop)
		if took, mine := elapsed(g); took != time.Second || mine != "" {
			t.Errorf("after %v: %q", took, mine)
		}
		g.wake("a")
		if took, mine := elapsed(g); took != 0 || mine != "" {
			t.Errorf("after %v: %q", took, mine)
		}
	})
}

// Only asynq's question for a task is answered. Every other command, and
// the script that takes the task, passes.
func TestOnlyQuestionsAreAnswered(t *testing.T) {
	t.Parallel()
	h := hook{
		isOurs: func(queue string) bool { return queue == "a" },
		next:   func(context.Context) (string, error) { return "the task", nil },
	}
	passed := errors.New("passed")
	process := h.ProcessHook(func(context.Context, redis.Cmder) error { return passed })
	for _, c := range []struct {
		args []any
		want error
	}{
		{[]any{"evalsha", "x", 4, "asynq:{a}:pending", "asynq:{a}:paused", "asynq:{a}:active", "asynq:{a}:lease"}, nil},
		{[]any{"eval", "x", 4, "asynq:{a}:pending", "asynq:{a}:paused", "asynq:{a}:active", "asynq:{a}:lease"}, nil},
		{[]any{"eval", "x", 4, "asynq:{b}:pending", "asynq:{b}:paused", "asynq:{b}:active", "asynq:{b}:lease"}, passed},
		{[]any{"eval", "x", 6, "asynq:{a}:pending", "asynq:{a}:paused", "asynq:{a}:active", "asynq:{a}:lease"}, passed},
		{[]any{"get", "asynq:{a}:pending"}, passed},
	} {
		cmd := redis.NewCmd(t.Context(), c.args...)
		err := process(t.Context(), cmd)
		if !errors.Is(err, c.want) || err == nil && cmd.Val() != "the task" {
			t.Errorf("%v: %v, %v", c.args, cmd.Val(), err)
		}
	}
}
