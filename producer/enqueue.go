package producer

import (
	"context"
	"errors"
	"fmt"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

// enqueue makes the record first, so that the ID is taken before anything can
// run under it, and the task second. A crash between the two leaves a record
// without a task, which enqueuing again completes, or a worker.
func (c *Client) enqueue(ctx context.Context, kind tasks.Kind, payload []byte, s settings) error {
	there, err := c.records.Create(ctx, s.id, kind.Name, payload)
	switch {
	case err != nil:
		return err
	case there.Kind != kind.Name || !same(kind, there.Payload, payload):
		return fmt.Errorf("%s: %w (a %s job); choose another ID", s.id, ErrIDReused, there.Kind)
	case there.State.Final():
		return nil
	}
	ref := asynqtask.JobRef{Job: s.id, Generation: there.Generation}
	return c.send(ctx, kind, ref, there.Payload, s.asynq()...) // the record's payload, if the same job was sealed anew
}

// same tells whether two payloads ask for the same job. How urgent it is and
// until when it must be done are not what it is: a caller who enqueues again
// after a lost answer most likely counts its deadline from another moment.
func same(kind tasks.Kind, a, b []byte) bool {
	return kind.Same(a, b) || kind.Same(unhurried(kind, a), unhurried(kind, b))
}

// unhurried is a payload without priority and deadline. A payload that cannot
// be read stays as it is.
func unhurried(kind tasks.Kind, payload []byte) []byte {
	j, err := kind.Decode(payload)
	if err != nil {
		return payload
	}
	plain, err := encode(tasks.WithTerms(j, tasks.Terms{Tenant: j.JobTerms().Tenant}))
	if err != nil {
		return payload
	}
	return plain
}

// send puts a job's task on the queue, unless it is there.
func (c *Client) send(ctx context.Context, kind tasks.Kind, ref asynqtask.JobRef, payload []byte, options ...asynq.Option) error {
	task := queue.NewJobTask(kind, ref, payload, priorityOf(kind, payload))
	_, err := c.asynq.EnqueueContext(ctx, task, options...)
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}
	if err := c.removeEnded(priorityOf(kind, payload).Queue(kind.Policy.Queue), ref.TaskID()); err != nil {
		return err
	}
	if _, err = c.asynq.EnqueueContext(ctx, task, options...); errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// removeEnded deals with an ID that asynq still knows. Most often it is this
// very job, waiting or running, or our own request sent twice. But asynq
// keeps archived tasks longer than a record lives, and such a corpse would
// block the ID.
func (c *Client) removeEnded(q, taskID string) error {
	info, err := c.inspector.GetTaskInfo(q, taskID)
	if err == nil && (info.State == asynq.TaskStateArchived || info.State == asynq.TaskStateCompleted) {
		err = c.inspector.DeleteTask(q, taskID)
	}
	if noTask(err) {
		return nil
	}
	return err
}

// priorityOf reads the priority that a payload asks for. One that cannot be
// read is the worker's to refuse.
func priorityOf(kind tasks.Kind, payload []byte) tasks.Priority {
	j, err := kind.Decode(payload)
	if err != nil {
		return tasks.PriorityNormal
	}
	switch p := j.JobTerms().Priority; p {
	case tasks.PriorityHigh, tasks.PriorityLow:
		return p
	}
	return tasks.PriorityNormal
}

func noTask(err error) bool {
	return errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound)
}
