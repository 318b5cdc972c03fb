package asynqtask

import (
	"errors"
	"slices"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Queue holds the figures of one queue, of all workers.
type Queue struct {
	Name      string
	Size      int           // tasks in any state
	States    map[State]int // tasks by state
	Latency   time.Duration // age of the oldest pending task
	Memory    int64         // in Redis, bytes, estimated
	Processed int           // tasks so far, succeeded or failed
	Failed    int           // of the processed tasks
	Paused    bool
}

// Queues returns the figures of all queues, zeros for a queue that
// never had a task. With an error it returns those that it could read.
func (c Client) Queues() ([]Queue, error) {
	known, err := c.inspector.Queues()
	if err != nil {
		return nil, redisconn.Wrap(err, "list the queues")
	}
	var queues []Queue
	var failed []error
	for _, name := range tasks.Queues() {
		info := &asynq.QueueInfo{Queue: name}
		if slices.Contains(known, name) {
			if info, err = c.inspector.GetQueueInfo(name); err != nil {
				failed = append(failed, redisconn.Wrap(err, "read the queue %s", name))
				continue
			}
		}
		queues = append(queues, newQueue(info))
	}
	return queues, errors.Join(failed...)
}

func newQueue(q *asynq.QueueInfo) Queue {
	return Queue{
		Name: q.Queue,
		Size: q.Size,
		States: map[State]int{
			Active:    q.Active,
			Pending:   q.Pending,
			Scheduled: q.Scheduled,
			Retry:     q.Retry,
			Archived:  q.Archived,
			Completed: q.Completed,
		},
		Latency:   q.Latency,
		Memory:    q.MemoryUsage,
		Processed: q.ProcessedTotal,
		Failed:    q.FailedTotal,
		Paused:    q.Paused,
	}
}
