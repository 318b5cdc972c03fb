package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Tasks enqueues and inspects the tasks that carry jobs and shards. It
// hides asynq's client and inspector. It is safe for concurrent use and may
// be copied.
type Tasks struct {
	client    *asynq.Client
	inspector *asynq.Inspector
}

// NewTasks enqueues through the first client. It inspects through the
// second, which should give up soon. The caller closes both.
func NewTasks(client, inspect redis.UniversalClient) Tasks {
	return Tasks{
		asynq.NewClientFromRedisClient(client),
		asynq.NewInspectorFromRedisClient(inspect),
	}
}

// EnqueueJob puts a job's task on its queue. If the task is there already,
// it stays as it is and EnqueueJob returns nil. A task of the same ID that
// was archived or completed is removed first.
func (t Tasks) EnqueueJob(ctx context.Context, j JobTask, options ...asynq.Option) error {
	task, queue, id := j.task(), j.queue(), j.Ref.TaskID()
	err := t.enqueue(ctx, task, options...)
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}

	// asynq remembers archived tasks longer than a record stays.
	state, err := t.State(queue, id)
	if err == nil && (state == TaskArchived || state == TaskCompleted) {
		err = t.delete(queue, id)
	}
	if err != nil {
		return err
	}
	return withoutConflict(t.enqueue(ctx, task, options...))
}

// EnqueueShard puts a shard's task on its queue. If the task is there
// already, it stays as it is and EnqueueShard returns nil.
func (t Tasks) EnqueueShard(ctx context.Context, s ShardTask) error {
	return withoutConflict(t.enqueue(ctx, s.task()))
}

func (t Tasks) enqueue(ctx context.Context, task *asynq.Task, options ...asynq.Option) error {
	_, err := t.client.EnqueueContext(ctx, task, options...)
	return redisconn.Wrap(err, "enqueue a task of type %s", task.Type())
}

func withoutConflict(err error) error {
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// TaskState is the state of a task in asynq.
type TaskState string

// The states of a task.
const (
	TaskGone      TaskState = "gone" // asynq does not have the task
	TaskPending   TaskState = "pending"
	TaskScheduled TaskState = "scheduled"
	TaskRetry     TaskState = "retry"
	TaskActive    TaskState = "active"
	TaskArchived  TaskState = "archived"
	TaskCompleted TaskState = "completed"
)

// Waiting reports whether a worker will take the task without any help.
func (s TaskState) Waiting() bool {
	return s == TaskPending || s == TaskScheduled || s == TaskRetry
}

// State returns the state of a task.
func (t Tasks) State(queue, taskID string) (TaskState, error) {
	info, err := t.inspector.GetTaskInfo(queue, taskID)
	switch {
	case isMissing(err):
		return TaskGone, nil
	case err != nil:
		return TaskGone, redisconn.Wrap(err, "read the state of task %s", taskID)
	}
	return TaskState(info.State.String()), nil
}

// RunArchived puts an archived task back on its queue.
func (t Tasks) RunArchived(queue, taskID string) error {
	return redisconn.Wrap(t.inspector.RunTask(queue, taskID), "run task %s", taskID)
}

// Withdraw deletes a task that waits. Any other task stays.
func (t Tasks) Withdraw(queue, taskID string) error {
	state, err := t.State(queue, taskID)
	if err != nil || !state.Waiting() {
		return err
	}
	return t.delete(queue, taskID)
}

func (t Tasks) delete(queue, taskID string) error {
	if err := t.inspector.DeleteTask(queue, taskID); !isMissing(err) {
		return redisconn.Wrap(err, "delete task %s", taskID)
	}
	return nil
}

func isMissing(err error) bool {
	return errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound)
}

// FoundJob is a job without a record, which another language enqueued.
type FoundJob struct {
	Kind    tasks.Kind
	Queue   string
	Payload []byte
}

// FindJob looks for a task with a job's ID, on the queues of all kinds. It
// returns ErrNoJob if there is none, or if the task has ended.
func (t Tasks) FindJob(id string) (FoundJob, error) {
	for _, queue := range tasks.Queues() {
		if strings.HasPrefix(queue, tasks.QueueShards) {
			continue
		}
		info, err := t.inspector.GetTaskInfo(queue, id)
		switch {
		case isMissing(err):
			continue
		case err != nil:
			return FoundJob{}, redisconn.Wrap(err, "look for task %s", id)
		}
		ended := info.State == asynq.TaskStateArchived || info.State == asynq.TaskStateCompleted
		if kind, err := tasks.Lookup(info.Type); err == nil && !ended {
			return FoundJob{kind, queue, info.Payload}, nil
		}
	}
	return FoundJob{}, fmt.Errorf("job %s: %w", id, ErrNoJob)
}
