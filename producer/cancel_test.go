package producer_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

func cancelTwice(t *testing.T, c *producer.Client, id string, want tasks.State) {
	t.Helper()
	for range 2 {
		if s, err := c.Cancel(t.Context(), id); s != want || err != nil {
			t.Errorf("cancel %s: %s, %v", id, s, err)
		}
	}
	if s, err := c.Status(t.Context(), id); s.State != want || err != nil {
		t.Errorf("%s: %+v, %v", id, s, err)
	}
}

// gone fails the test when asynq still knows a task.
func gone(t *testing.T, o redisconn.Options, q, taskID string) {
	t.Helper()
	if info, err := inspector(t, o).GetTaskInfo(q, taskID); !errors.Is(err, asynq.ErrTaskNotFound) {
		t.Errorf("the task is still there: %+v, %v", info, err)
	}
}

func TestCancelWhatWaits(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	enqueue(t, c, manifest, producer.WithID("now"), producer.WithPriority(tasks.PriorityHigh))
	enqueue(t, c, manifest, producer.WithID("later"), producer.WithDelay(time.Hour))
	enqueue(t, c, verify, producer.WithID("quick"))
	for id, q := range map[string]string{"now": "jobs-high", "later": "jobs", "quick": "verify"} {
		cancelTwice(t, c, id, tasks.StateCancelled)
		gone(t, o, q, id)
	}
	events, _ := collect(c.Events(t.Context(), producer.EventsOldest, producer.SoFar()))
	if len(events) != 3 {
		t.Errorf("three jobs were cancelled twice: %v", events)
	}
}

func TestCancelOfALaterGeneration(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, r := client(t, o), records(t, o)
	begin(t, r, "j")
	p, err := r.Pulse(t.Context(), "j")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.TakeOver(t.Context(), "j", p); err != nil {
		t.Fatal(err)
	}
	foreign(t, o, "jobs", "j:g1")
	cancelTwice(t, c, "j", tasks.StateCancelled)
	gone(t, o, "jobs", "j:g1")
}

func TestCancelWhatRuns(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	begun, fenced := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	r := records(t, o)
	work(t, o, func(ctx context.Context, claim queue.Claim) outcome {
		once.Do(func() { close(begun) })
		for ctx.Err() == nil {
			if _, err := r.Look(ctx, claim, queue.Shown{}); err != nil {
				fenced <- err
				break
			}
		}
		return outcome{result: `{}`}
	})
	id := enqueue(t, c, manifest)
	<-begun
	cancelTwice(t, c, id, tasks.StateCancelled)
	if err := <-fenced; !errors.Is(err, queue.ErrFenced) {
		t.Errorf("its worker sees %v", err)
	}
	if s, err := c.Wait(t.Context(), id, nil); err != nil || s.State != tasks.StateCancelled || s.Finished.IsZero() {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestCancelWhatHasEnded(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	work(t, o, func(context.Context, queue.Claim) outcome { return outcome{result: `{}`} })
	id := enqueue(t, c, manifest)
	if _, err := c.Wait(t.Context(), id, nil); err != nil {
		t.Fatal(err)
	}
	cancelTwice(t, c, id, tasks.StateSucceeded)
	if _, err := c.Cancel(t.Context(), "nobody"); !errors.Is(err, producer.ErrNoJob) {
		t.Errorf("an unknown job: %v", err)
	}
}

func TestCancelAForeignJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	foreign(t, o, "jobs-low", "j")
	foreign(t, o, "jobs", "later", asynq.ProcessIn(time.Hour))
	cancelTwice(t, c, "j", tasks.StateCancelled)
	cancelTwice(t, c, "later", tasks.StateCancelled)
	gone(t, o, "jobs-low", "j")
	gone(t, o, "jobs", "later")
}

// Somebody who waits hears of the cancel at once.
func TestCancelEndsWaits(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, other := client(t, o), client(t, o)
	id := enqueue(t, c, manifest)
	var once sync.Once
	s, err := c.Wait(t.Context(), id, func(tasks.Status) {
		once.Do(func() { _, _ = other.Cancel(t.Context(), id) })
	})
	if err != nil || s.State != tasks.StateCancelled {
		t.Errorf("%+v, %v", s, err)
	}
}
