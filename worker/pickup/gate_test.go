package pickup

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

// refusal is an error that Redis answers with.
type refusal string

func (r refusal) Error() string { return string(r) }
func (refusal) RedisError()     {}

// newIdleGate returns a gate whose queues were all found empty.
func newIdleGate(watched bool, queues ...string) *gate {
	g := newGate(queues)
	for _, name := range queues {
		g.setWatched(name, watched)
		g.await(name)
		g.answered(name, none)
	}
	return g
}

// elapsed returns how long await waits, and its answer.
func elapsed(g *gate, name string) (time.Duration, bool) {
	began := time.Now()
	mine := g.await(name)
	return time.Since(began), mine
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
				if took, mine := elapsed(g, "a"); took != c.want || !mine {
					t.Errorf("watched %v: asked after %v: %v", c.watched, took, mine)
				}
				g.answered("a", none)
			}
		})
	}
}

// A wake-up lets only the questions about its own queue pass, and ends
// the wait for any other.
func TestWakeupIsForOneQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newIdleGate(true, "a", "b")
		time.AfterFunc(time.Second, func() { g.wake("b") })
		if took, mine := elapsed(g, "a"); took != time.Second || mine {
			t.Errorf("queue a after %v: %v", took, mine)
		}
		if took, mine := elapsed(g, "b"); took != 0 || !mine {
			t.Errorf("queue b after %v: %v", took, mine)
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
		g.await("a")
		g.wake("a")
		g.answered("a", none)
		if took, mine := elapsed(g, "a"); took != 0 || !mine {
			t.Errorf("asked after %v: %v", took, mine)
		}
	})
}

// After a task Redis is asked again at once, because there may be more.
// After an error it is not asked without a pause.
func TestNextQuestionDependsOnAnswer(t *testing.T) {
	t.Parallel()
	for a, want := range map[answer]time.Duration{
		task: 0, repeat: 0, none: pollWatched, failed: pollBlind,
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newIdleGate(true, "a")
			g.wake("a")
			g.await("a")
			g.answered("a", a)
			if took, mine := elapsed(g, "a"); took != want || !mine {
				t.Errorf("after answer %d asked after %v: %v", a, took, mine)
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
		if took, mine := elapsed(g, "a"); took != time.Second+pollBlind || !mine {
			t.Errorf("asked after %v: %v", took, mine)
		}
	})
}

// Stop ends a wait, and lets nothing pass any more.
func TestStopEndsWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newIdleGate(true, "a")
		time.AfterFunc(time.Second, g.stop)
		if took, mine := elapsed(g, "a"); took != time.Second || mine {
			t.Errorf("after %v: %v", took, mine)
		}
		g.wake("a")
		if took, mine := elapsed(g, "a"); took != 0 || mine {
			t.Errorf("after %v: %v", took, mine)
		}
	})
}

// Redis forgets asynq's script when it restarts. asynq then sends the
// question once more, with the script, and that passes at once.
func TestScriptThatRedisForgotIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newIdleGate(true, "a")
		g.wake("a")
		began := time.Now()
		replies := []error{refusal("NOSCRIPT No matching script."), redis.Nil}
		process := hook{g}.ProcessHook(func(context.Context, redis.Cmder) error {
			err := replies[0]
			replies = replies[1:]
			return err
		})
		for _, name := range []string{"evalsha", "eval"} {
			cmd := redis.NewCmd(t.Context(), name, "x", 4, "asynq:{a}:pending", "asynq:{a}:paused")
			_ = process(t.Context(), cmd)
		}
		if took := time.Since(began); took != 0 || len(replies) != 0 {
			t.Errorf("after %v, %d questions were not sent", took, len(replies))
		}
	})
}
