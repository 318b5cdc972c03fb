package asynqtask_test

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
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// These tests are about traps of asynq 0.26. Each fails if our
// tasks fall into its trap again.

func manifests(t *testing.T) tasks.Kind {
	t.Helper()
	k, err := tasks.Lookup("build-manifest")
	ok(t, err)
	return k
}

func jobTask(t *testing.T, id string) *asynq.Task {
	t.Helper()
	return asynqtask.Job{Kind: manifests(t), Ref: asynqtask.JobRef{Job: id}, Payload: []byte("{}")}.Task()
}

func shardTask(job string) *asynq.Task {
	ref := asynqtask.ShardRef{Job: job, Shard: 1}
	return asynqtask.Shard{Kind: "build-manifest", Ref: ref, Queue: tasks.QueueShards}.Task()
}

// asynq stores whole seconds. It takes less than one for half an
// hour.
func TestFractionsOfSecondsAreNotHalfAnHour(t *testing.T) {
	t.Parallel()
	e := serve(t, queuetest.Embedded(t), handle)
	k := manifests(t)
	for limit, want := range map[time.Duration]time.Duration{
		0:                       time.Minute,
		500 * time.Millisecond:  time.Minute,
		1500 * time.Millisecond: time.Minute + time.Second,
	} {
		k.Policy.Timeout = limit
		ok(t, e.EnqueueJob(t.Context(), asynqtask.Job{Kind: k, Ref: asynqtask.JobRef{Job: limit.String()}}))
		info, err := e.inspector.GetTaskInfo(k.Policy.Queue, limit.String())
		if err != nil || info.Timeout != want {
			t.Errorf("limit %v: %v, want %v; %v", limit, info.Timeout, want, err)
		}
	}
}

// asynq archives a task after its last try, even after a drain,
// which is not a failure.
func TestDrainIsNeverTheLastTry(t *testing.T) {
	t.Parallel()
	const failures = 26 // one more than asynq allows by default
	for name, task := range map[string]*asynq.Task{"job": jobTask(t, "j"), "shard": shardTask("j")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var runs atomic.Int64
			e := serve(t, queuetest.Embedded(t), func(context.Context, *asynq.Task) error {
				switch n := runs.Add(1); {
				case n <= failures:
					return errors.New("the cloud has trouble")
				case n == failures+1:
					return errDrain
				}
				return nil
			})
			ok(t, e.put(t, task))
			queuetest.Eventually(t, 20*time.Second, "the task runs once more after the drain", func() bool {
				return runs.Load() == failures+2
			})
		})
	}
}

// The ID of a job's task is taken as long as the result is kept:
// it makes the job the same job. The ID of a shard's task is free
// at its end: a lost shard must be enqueued again.
func TestIDsAreTakenAsLongAsNeeded(t *testing.T) {
	t.Parallel()
	for name, start := range queuetest.Servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			end := make(chan struct{})
			e := serve(t, start(t), func(context.Context, *asynq.Task) error { <-end; return nil })
			job, shard := jobTask(t, "j"), shardTask("j")
			for _, task := range []*asynq.Task{job, shard} {
				ok(t, e.put(t, task))
				if err := e.put(t, task); !errors.Is(err, asynq.ErrTaskIDConflict) {
					t.Errorf("%s twice: %v", task.Type(), err)
				}
			}
			close(end)
			queuetest.Eventually(t, 20*time.Second, "both are done", func() bool {
				info, err := e.inspector.GetTaskInfo(tasks.QueueJobs, "j")
				_, gone := e.inspector.GetTaskInfo(tasks.QueueShards, "j:s:1")
				completed := err == nil && info.State == asynq.TaskStateCompleted
				return completed && errors.Is(gone, asynq.ErrTaskNotFound)
			})
			if err := e.put(t, job); !errors.Is(err, asynq.ErrTaskIDConflict) {
				t.Errorf("the job after its end: %v", err)
			}
			ok(t, e.put(t, shard))
		})
	}
}

// asynq's unique locks go by type and payload, and stay after
// their task.
func TestSamePayloadIsAnotherJob(t *testing.T) {
	t.Parallel()
	o := queuetest.Embedded(t)
	e := open(t, o)
	for _, task := range []*asynq.Task{jobTask(t, "a"), jobTask(t, "b"), shardTask("a")} {
		ok(t, e.put(t, task))
	}
	c := o.Client()
	defer func() { _ = c.Close() }()
	if keys := c.Keys(t.Context(), "*unique*").Val(); len(keys) > 0 {
		t.Errorf("locked: %q", keys)
	}
}

// Braces in the name of a queue would spread its keys over a
// cluster.
func TestQueueNamesFitACluster(t *testing.T) {
	t.Parallel()
	names := tasks.Queues()
	if slices.ContainsFunc(names, func(name string) bool { return strings.ContainsAny(name, "{}") }) {
		t.Errorf("%q", names)
	}
}

// A task that ends while Redis is down has ended: its
// acknowledgement waits, and it does not run again.
func TestAcknowledgementSurvivesOutage(t *testing.T) {
	t.Parallel()
	for name, start := range queuetest.Restartables() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			prompt := s.Options().Client()
			defer func() { _ = prompt.Close() }()
			var runs atomic.Int64
			started, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
			e := serve(t, s.Options(), func(context.Context, *asynq.Task) error {
				if runs.Add(1) == 1 {
					close(started)
					<-end
					defer close(ended)
				}
				return nil
			})
			ok(t, e.put(t, jobTask(t, "j")))
			<-started
			s.Down()
			close(end)
			<-ended

			// This takes a while: the client gives up after all
			// its tries.
			if err := prompt.Ping(t.Context()).Err(); err == nil {
				t.Fatal("Redis is not down")
			}
			s.Up()
			queuetest.Eventually(t, 20*time.Second, "the task is completed", func() bool {
				info, err := e.inspector.GetTaskInfo(tasks.QueueJobs, "j")
				return err == nil && info.State == asynq.TaskStateCompleted
			})
			if n := runs.Load(); n != 1 {
				t.Errorf("it ran %d times", n)
			}
		})
	}
}
