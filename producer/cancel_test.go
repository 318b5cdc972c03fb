package producer_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/producer/events"
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

// wantGone fails the test if asynq still has a task.
func wantGone(t *testing.T, o redisconn.Options, q, taskID string) {
	t.Helper()
	if info, err := inspector(t, o).GetTaskInfo(q, taskID); !errors.Is(err, asynq.ErrTaskNotFound) {
		t.Errorf("the task is still there: %+v, %v", info, err)
	}
}

func TestCancelQueuedJobs(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	enqueue(t, c, manifest, producer.WithID("now"), producer.WithPriority(tasks.PriorityHigh))
	enqueue(t, c, manifest, producer.WithID("later"), producer.WithDelay(time.Hour))
	enqueue(t, c, verify, producer.WithID("quick"))
	for id, q := range map[string]string{"now": "jobs-high", "later": "jobs", "quick": "verify"} {
		cancelTwice(t, c, id, tasks.StateCancelled)
		wantGone(t, o, q, id)
	}
	n := 0
	for _, err := range c.Events(t.Context(), events.Oldest, events.SoFar()) {
		if err != nil {
			t.Error(err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("three jobs were cancelled twice: %d events", n)
	}
}

func TestCancelOfALaterGeneration(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c, s := client(t, o), store(t, o)
	claim(t, s, "j")
	takeOver(t, s, "j")
	foreign(t, o, "jobs", "j:g1")
	cancelTwice(t, c, "j", tasks.StateCancelled)
	wantGone(t, o, "jobs", "j:g1")
}

func TestCancelARunningJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	begun, fenced := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	work(t, o, func(ctx context.Context, l queue.Lease) outcome {
		once.Do(func() { close(begun) })
		for ctx.Err() == nil {
			if _, err := l.Heartbeat(ctx, queue.ProgressReport{}); err != nil {
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

func TestCancelAnEndedJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := client(t, o)
	work(t, o, func(context.Context, queue.Lease) outcome { return outcome{result: `{}`} })
	id := enqueue(t, c, manifest)
	if _, err := c.Wait(t.Context(), id, nil); err != nil {
		t.Fatal(err)
	}
	cancelTwice(t, c, id, tasks.StateSucceeded)
	if _, err := c.Cancel(t.Context(), "unknown"); !errors.Is(err, producer.ErrNoJob) {
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
	wantGone(t, o, "jobs-low", "j")
	wantGone(t, o, "jobs", "later")
}

// A caller of Wait learns of the cancel at once.
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
