// Package asynqtask enqueues and inspects the asynq tasks that
// carry jobs and shards, and names them.
//
// It knows no record of a job. It is the only package that uses
// asynq's client and inspector.
package asynqtask

import (
	"context"
	"errors"
	"strings"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Client enqueues and inspects tasks. It is safe for concurrent
// use and may be copied.
type Client struct {
	client    *asynq.Client
	inspector *asynq.Inspector
	redis     redis.UniversalClient
}

// NewClient enqueues through the first client of Redis. It
// inspects through the second, which should give up soon. The
// caller closes both.
func NewClient(enqueue, inspect redis.UniversalClient) Client {
	return Client{
		asynq.NewClientFromRedisClient(enqueue),
		asynq.NewInspectorFromRedisClient(inspect),
		inspect,
	}
}

// EnqueueJob puts a job's task on its queue. If the task is there
// already, it stays as it is and EnqueueJob returns nil. A task
// of the same ID that was archived or completed is removed first.
func (c Client) EnqueueJob(ctx context.Context, j Job) error {
	task, queue, id := j.task(), j.queue(), j.Ref.TaskID()
	err := c.enqueue(ctx, task)
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}

	// asynq remembers archived tasks longer than a record stays.
	state, err := c.State(queue, id)
	if err == nil && (state == Archived || state == Completed) {
		err = c.delete(queue, id)
	}
	if err != nil {
		return err
	}
	return withoutConflict(c.enqueue(ctx, task))
}

// EnqueueShard puts a shard's task on its queue. If the task is
// there already, it stays as it is and EnqueueShard returns nil.
func (c Client) EnqueueShard(ctx context.Context, s Shard) error {
	return withoutConflict(c.enqueue(ctx, s.task()))
}

func (c Client) enqueue(ctx context.Context, task *asynq.Task) error {
	_, err := c.client.EnqueueContext(ctx, task)
	return redisconn.Wrap(err, "enqueue a task of type %s", task.Type())
}

func withoutConflict(err error) error {
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// State is the state of a task in asynq.
type State string

// The states of a task.
const (
	Gone      State = "gone" // asynq does not have the task
	Pending   State = "pending"
	Scheduled State = "scheduled"
	Retry     State = "retry"
	Active    State = "active"
	Archived  State = "archived"
	Completed State = "completed"
)

// Waiting reports whether a worker will take the task without any
// help.
func (s State) Waiting() bool {
	return s == Pending || s == Scheduled || s == Retry
}

// State returns the state of a task.
func (c Client) State(queue, taskID string) (State, error) {
	info, err := c.inspector.GetTaskInfo(queue, taskID)
	switch {
	case isMissing(err):
		return Gone, nil
	case err != nil:
		return Gone, redisconn.Wrap(err, "read the state of task %s", taskID)
	}
	return State(info.State.String()), nil
}

// IsShelved reports whether somebody has archived a task by hand, as
// asynqmon can. asynq itself archives a task that has no retry left, or
// that a worker refused.
func (c Client) IsShelved(queue, taskID string) (bool, error) {
	info, err := c.inspector.GetTaskInfo(queue, taskID)
	switch {
	case isMissing(err):
		return false, nil
	case err != nil:
		return false, redisconn.Wrap(err, "read the state of task %s", taskID)
	}
	refused := strings.Contains(info.LastErr, asynq.SkipRetry.Error())
	return info.State == asynq.TaskStateArchived && info.Retried < info.MaxRetry && !refused, nil
}

// RunArchived puts an archived task back on its queue.
func (c Client) RunArchived(queue, taskID string) error {
	return redisconn.Wrap(c.inspector.RunTask(queue, taskID), "run task %s", taskID)
}

// Withdraw deletes a task that waits. Any other task stays.
func (c Client) Withdraw(queue, taskID string) error {
	state, err := c.State(queue, taskID)
	if err != nil || !state.Waiting() {
		return err
	}
	return c.delete(queue, taskID)
}

func (c Client) delete(queue, taskID string) error {
	if err := c.inspector.DeleteTask(queue, taskID); !isMissing(err) {
		return redisconn.Wrap(err, "delete task %s", taskID)
	}
	return nil
}

func isMissing(err error) bool {
	return errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound)
}

// FoundJob is a job that another language enqueued. It may have
// no record yet.
type FoundJob struct {
	Kind    string
	Queue   string
	Payload []byte
}

// FindJob looks for a live task with a job's ID, on the queues of
// all kinds. It returns false if no task has it.
func (c Client) FindJob(id string) (FoundJob, bool, error) {
	for _, queue := range tasks.Queues() {
		if strings.HasPrefix(queue, tasks.QueueShards) {
			continue
		}
		info, err := c.inspector.GetTaskInfo(queue, id)
		switch {
		case isMissing(err):
			continue
		case err != nil:
			return FoundJob{}, false, redisconn.Wrap(err, "look for task %s", id)
		}
		ended := info.State == asynq.TaskStateArchived || info.State == asynq.TaskStateCompleted
		if !ended {
			return FoundJob{info.Type, queue, info.Payload}, true, nil
		}
	}
	return FoundJob{}, false, nil
}
