package queue_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// These tests are about traps of asynq 0.26: each would catch one that opens
// again under our tasks.

func manifests(t *testing.T) tasks.Kind {
	t.Helper()
	k, err := tasks.Lookup("build-manifest")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (a asynqOn) put(t *testing.T, task *asynq.Task) error {
	t.Helper()
	_, err := a.client.EnqueueContext(t.Context(), task)
	return err
}

// asynq stores whole seconds, and what is none of them as half an hour.
func TestFractionsOfSecondsAreNoHalfHour(t *testing.T) {
	t.Parallel()
	a := serve(t, queuetest.Embedded(t), handle)
	k := manifests(t)
	for limit, want := range map[time.Duration]time.Duration{
		0: time.Minute, 500 * time.Millisecond: time.Minute, 1500 * time.Millisecond: time.Minute + time.Second,
	} {
		k.Policy.Timeout = limit
		ok(t, a.put(t, queue.NewJobTask(k, queue.JobRef{Job: limit.String()}, nil, "")))
		if info, err := a.inspector.GetTaskInfo(k.Policy.Queue, limit.String()); err != nil || info.Timeout != want {
			t.Errorf("limit %v: %v, want %v; %v", limit, info.Timeout, want, err)
		}
	}
}

// asynq archives a task on its last try whatever became of it, be it a drain
// that counts as no failure.
func TestDrainIsNeverTheLastTry(t *testing.T) {
	t.Parallel()
	const failures = 26 // one more than asynq allows by itself
	for name, task := range map[string]*asynq.Task{
		"job": queue.NewJobTask(manifests(t), queue.JobRef{Job: "j"}, nil, ""), "shard": queue.NewShardTask("build-manifest", queue.ShardRef{Job: "j", Shard: 1}, ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var runs atomic.Int64
			a := serve(t, queuetest.Embedded(t), func(context.Context, *asynq.Task) error {
				switch n := runs.Add(1); {
				case n <= failures:
					return errors.New("the cloud has trouble")
				case n == failures+1:
					return errDrain
				}
				return nil
			})
			ok(t, a.put(t, task))
			queuetest.Eventually(t, 20*time.Second, "the task runs once more after the drain", func() bool {
				return runs.Load() == failures+2
			})
		})
	}
}

// The ID is what makes a job the same job: it stays taken as long as the
// job's result is kept, and that of a shard no longer than the shard, or a
// lost one could not be enqueued again.
func TestIDsAreTakenAsLongAsNeeded(t *testing.T) {
	t.Parallel()
	for name, start := range queuetest.Servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			held := make(chan struct{})
			a := serve(t, start(t), func(context.Context, *asynq.Task) error { <-held; return nil })
			job, shard := queue.NewJobTask(manifests(t), queue.JobRef{Job: "j"}, nil, ""), queue.NewShardTask("build-manifest", queue.ShardRef{Job: "j", Shard: 1}, "")
			for _, task := range []*asynq.Task{job, shard} {
				ok(t, a.put(t, task))
				if err := a.put(t, task); !errors.Is(err, asynq.ErrTaskIDConflict) {
					t.Errorf("%s twice: %v", task.Type(), err)
				}
			}
			close(held)
			queuetest.Eventually(t, 20*time.Second, "both are done", func() bool {
				info, err := a.inspector.GetTaskInfo(tasks.QueueJobs, "j")
				_, gone := a.inspector.GetTaskInfo(tasks.QueueShards, "j:s:1")
				return err == nil && info.State == asynq.TaskStateCompleted && errors.Is(gone, asynq.ErrTaskNotFound)
			})
			if err := a.put(t, job); !errors.Is(err, asynq.ErrTaskIDConflict) {
				t.Errorf("the job after its end: %v", err)
			}
			ok(t, a.put(t, shard))
		})
	}
}

// asynq's unique locks are taken by type and payload, and outlive what they
// were taken for.
func TestSamePayloadIsAnotherJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	c := o.Client()
	defer func() { _ = c.Close() }()
	client := asynq.NewClientFromRedisClient(c)
	for _, task := range []*asynq.Task{
		queue.NewJobTask(manifests(t), queue.JobRef{Job: "a"}, []byte("{}"), ""), queue.NewJobTask(manifests(t), queue.JobRef{Job: "b"}, []byte("{}"), ""),
		queue.NewShardTask("build-manifest", queue.ShardRef{Job: "a", Shard: 1}, ""),
	} {
		if _, err := client.EnqueueContext(t.Context(), task); err != nil {
			t.Error(err)
		}
	}
	if keys := c.Keys(t.Context(), "*unique*").Val(); len(keys) > 0 {
		t.Errorf("locked: %q", keys)
	}
}

// Braces in a queue's name would scatter its keys over a cluster.
func TestQueueNamesFitACluster(t *testing.T) {
	t.Parallel()
	if names := tasks.Queues(); slices.ContainsFunc(names, func(name string) bool { return strings.ContainsAny(name, "{}") }) {
		t.Errorf("%q", names)
	}
}

// A task that ends while Redis is away has ended: its acknowledgement waits,
// and it does not run again.
func TestAcknowledgementOutlivesOutage(t *testing.T) {
	t.Parallel()
	for name, start := range queuetest.Restartables() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			impatient := s.Options().Client()
			defer func() { _ = impatient.Close() }()
			var runs atomic.Int64
			started, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
			a := serve(t, s.Options(), func(context.Context, *asynq.Task) error {
				if runs.Add(1) == 1 {
					close(started)
					<-end
					defer close(ended)
				}
				return nil
			})
			ok(t, a.put(t, queue.NewJobTask(manifests(t), queue.JobRef{Job: "j"}, nil, "")))
			<-started
			s.Down()
			close(end)
			<-ended
			if err := impatient.Ping(t.Context()).Err(); err == nil { // gives up after all its tries: longer than a blink
				t.Fatal("Redis is not away")
			}
			s.Up()
			queuetest.Eventually(t, 20*time.Second, "the task is completed", func() bool {
				info, err := a.inspector.GetTaskInfo(tasks.QueueJobs, "j")
				return err == nil && info.State == asynq.TaskStateCompleted
			})
			if n := runs.Load(); n != 1 {
				t.Errorf("it ran %d times", n)
			}
		})
	}
}
