package worker

import (
	"context"
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/worker/coordinator"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

var errBadID = errors.New("the task of a job must have the job's ID, without a further colon")

// runJob makes one attempt at a job: it claims the job, runs it, decides the
// outcome, and writes it down.
func (w *Worker) runJob(ctx context.Context, a attempt) verdict {
	ref := asynqtask.ParseJobRef(a.taskID)
	if err := queue.CheckID(ref.Job); err != nil || ref.TaskID() != a.taskID {
		err = fmt.Errorf("task %q: %w", a.taskID, errors.Join(err, errBadID))
		return verdict{outcome: failed, err: err}
	}
	lease, err := w.store.Claim(ctx, queue.ClaimRequest{
		Ref:     ref,
		Kind:    a.kind.Name,
		Payload: a.task.Payload(),
		Queue:   a.queue,
		First:   a.kind.firstState(),
	})
	if err != nil {
		return a.verdict(ctx, err)
	}
	if lease.Over {
		if lease.State == tasks.StateCancelled { // before a worker had it
			w.metrics.JobEnded(a.kind.Name, string(tasks.StateCancelled), 0)
		}
		return verdict{outcome: obsolete}
	}

	gauge := w.metrics.TrackJob(a.kind.Name, lease.ID)
	defer gauge.Close()
	c := claim{attempt: a, job: coordinator.Job{
		Lease:       lease,
		Env:         w.env(a, lease.ID, new(job.Progress)),
		Single:      a.kind.single,
		Sharded:     a.kind.sharded,
		Gauge:       gauge,
		WriteResult: w.resultWriter(a),
	}}
	result, err := w.carryOut(ctx, &c)
	decided := w.decideJob(ctx, c, result, err)
	recorded := w.recordJob(ctx, c, decided)
	w.reportJob(ctx, c, recorded)
	return recorded
}

// claim is a job that this attempt holds.
type claim struct {
	attempt attempt
	job     coordinator.Job
}

func (k kind) firstState() tasks.State {
	if k.sharded != nil {
		return tasks.StatePlanning
	}
	return tasks.StateRunning
}

// carryOut decodes the payload and runs the job.
func (w *Worker) carryOut(ctx context.Context, c *claim) (result tasks.Result, err error) {
	err = job.Guard(func() (err error) {
		if c.job.Payload, err = c.attempt.kind.decode(c.attempt.task.Payload()); err != nil {
			return err
		}
		result, err = w.runInTime(ctx, c)
		return err
	})
	return result, err
}

// runInTime runs the job until its time is up.
func (w *Worker) runInTime(ctx context.Context, c *claim) (tasks.Result, error) {
	ctx, cancel := c.limitTime(ctx)
	defer cancel()
	if ctx.Err() != nil { // it was too late before it began
		return nil, context.Cause(ctx)
	}
	result, err := w.coordinator.Run(ctx, c.job)
	if cause := context.Cause(ctx); err != nil && isOutOfTime(cause) {
		return nil, cause // whatever error the job has made of it
	}
	return result, err
}

// limitTime returns a context that ends with errTimeout after the time that
// the kind allows, or with errDeadline at the deadline of the payload.
func (c *claim) limitTime(ctx context.Context) (context.Context, context.CancelFunc) {
	end := c.job.Lease.Started.Add(c.attempt.kind.Policy.Timeout)
	ctx, cancel := context.WithDeadlineCause(ctx, end, errTimeout)
	deadline := c.job.Payload.JobTerms().Deadline
	if deadline.IsZero() {
		return ctx, cancel
	}
	ctx, cancelDeadline := context.WithDeadlineCause(ctx, deadline, errDeadline)
	return ctx, func() {
		cancelDeadline()
		cancel()
	}
}

func isOutOfTime(err error) bool {
	return errors.Is(err, errTimeout) || errors.Is(err, errDeadline)
}

// resultWriter returns a function that stores data where asynqmon shows it.
// Only operators read it there, so a failure is worth one line.
func (w *Worker) resultWriter(a attempt) func([]byte) {
	return func(data []byte) {
		if len(data) == 0 || a.task.ResultWriter() == nil {
			return
		}
		if _, err := a.task.ResultWriter().Write(data); err != nil {
			w.log.Debug("asynq result not written", "task", a.taskID, "error", err)
		}
	}
}
