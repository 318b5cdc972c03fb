package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Tasks enqueues and inspects the tasks that carry jobs and shards. It is
// safe for concurrent use and may be copied.
type Tasks struct {
	client    *asynq.Client
	inspector *asynq.Inspector
}

// NewTasks enqueues through the first client, and inspects through the
// second, which should give up soon. The caller goes on owning both.
func NewTasks(client, inspect redis.UniversalClient) Tasks {
	return Tasks{asynq.NewClientFromRedisClient(client), asynq.NewInspectorFromRedisClient(inspect)}
}

// JobTask is a task that carries a job.
type JobTask struct {
	Kind    tasks.Kind
	Ref     JobRef
	Queue   string // empty means the kind's queue
	Payload []byte
}

// EnqueueJob puts a job's task on its queue. A task that is there already is
// no error; one that was archived or completed in its place is removed first.
func (t Tasks) EnqueueJob(ctx context.Context, j JobTask, options ...asynq.Option) error {
	if j.Queue == "" {
		j.Queue = j.Kind.Policy.Queue
	}
	task := NewJobTask(j.Kind, j.Ref, j.Payload, "")
	options = append([]asynq.Option{asynq.Queue(j.Queue)}, options...)
	err := t.enqueue(ctx, task, options...)
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}
	if err := t.removeEnded(j.Queue, j.Ref.TaskID()); err != nil {
		return err
	}
	if err = t.enqueue(ctx, task, options...); errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// ShardTask is a task that carries a shard.
type ShardTask struct {
	Kind  string
	Ref   ShardRef
	Queue string
}

// EnqueueShard puts a shard's task on its queue. A task that is there already
// is no error.
func (t Tasks) EnqueueShard(ctx context.Context, s ShardTask) error {
	err := t.enqueue(ctx, NewShardTask(s.Kind, s.Ref, ""), asynq.Queue(s.Queue))
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

func (t Tasks) enqueue(ctx context.Context, task *asynq.Task, options ...asynq.Option) error {
	_, err := t.client.EnqueueContext(ctx, task, options...)
	return redisconn.Wrap(err, "enqueue a task of type %s", task.Type())
}

// removeEnded removes a task that has ended but that asynq still remembers:
// it keeps archived tasks longer than a record lives, and such a task would
// block the job's ID.
func (t Tasks) removeEnded(queue, taskID string) error {
	state, err := t.State(queue, taskID)
	if err != nil || state != TaskArchived && state != TaskCompleted {
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

// Waiting reports whether a worker will take the task without anybody's help.
func (s TaskState) Waiting() bool {
	return s == TaskPending || s == TaskScheduled || s == TaskRetry
}

// State asks asynq about a task.
func (t Tasks) State(queue, taskID string) (TaskState, error) {
	info, err := t.inspector.GetTaskInfo(queue, taskID)
	switch {
	case isMissing(err):
		return TaskGone, nil
	case err != nil:
		return TaskGone, redisconn.Wrap(err, "ask for task %s", taskID)
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

// FoundTask is the task of a job that another language enqueued.
type FoundTask struct {
	Kind    tasks.Kind
	Queue   string
	Payload []byte
}

// FindJob looks on the queues of all kinds for a live task of a job that may
// have no record yet. It is ErrNoJob when there is none.
func (t Tasks) FindJob(id string) (FoundTask, error) {
	for _, queue := range tasks.Queues() {
		if strings.HasPrefix(queue, tasks.QueueShards) {
			continue
		}
		info, err := t.inspector.GetTaskInfo(queue, id)
		switch {
		case isMissing(err):
			continue
		case err != nil:
			return FoundTask{}, redisconn.Wrap(err, "ask for task %s", id)
		}
		kind, err := tasks.Lookup(info.Type)
		if err == nil && info.State != asynq.TaskStateArchived && info.State != asynq.TaskStateCompleted {
			return FoundTask{kind, queue, info.Payload}, nil
		}
	}
	return FoundTask{}, fmt.Errorf("job %s: %w", id, ErrNoJob)
}

// IsRunning reports whether a live worker says that it runs a task. Workers
// say so every 5 seconds, for 10 seconds. It is true when Redis does not
// answer.
func (t Tasks) IsRunning(taskID string) bool {
	servers, err := t.inspector.Servers()
	for _, s := range servers {
		if slices.ContainsFunc(s.ActiveWorkers, func(w *asynq.WorkerInfo) bool { return w.TaskID == taskID }) {
			return true
		}
	}
	return err != nil
}

// Slots counts the slots of all live workers for a queue.
func (t Tasks) Slots(queue string) (int, error) {
	servers, err := t.inspector.Servers()
	slots := 0
	for _, s := range servers {
		if _, ok := s.Queues[queue]; ok {
			slots += s.Concurrency
		}
	}
	return slots, redisconn.Wrap(err, "ask for workers")
}

// QueueInfos reads the figures of all queues. A queue that no task was ever
// on has zeros. With an error there may be figures of some queues.
func (t Tasks) QueueInfos() ([]*asynq.QueueInfo, error) {
	known, err := t.inspector.Queues()
	if err != nil {
		return nil, redisconn.Wrap(err, "ask for queues")
	}
	var infos []*asynq.QueueInfo
	var failed []error
	for _, queue := range tasks.Queues() {
		info := &asynq.QueueInfo{Queue: queue}
		if slices.Contains(known, queue) {
			if info, err = t.inspector.GetQueueInfo(queue); err != nil {
				failed = append(failed, redisconn.Wrap(err, "ask for queue %s", queue))
				continue
			}
		}
		infos = append(infos, info)
	}
	return infos, errors.Join(failed...)
}
