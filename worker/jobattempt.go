package worker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/payloadsize"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/worker/coordinator"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/journal"
	"github.com/stevedore-jobs/stevedore/worker/metrics"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

var errBadID = errors.New("the task of a job must have the job's ID, without a further colon")

// runJob makes one attempt at a job: it claims the job, runs it,
// decides the outcome, and writes it down.
func (a *attempt) runJob(ctx context.Context) outcome.Verdict {
	ref := asynqtask.ParseJobRef(a.taskID)
	if err := asynqtask.CheckID(ref.Job); err != nil || ref.TaskID() != a.taskID {
		err = fmt.Errorf("task %q: %w", a.taskID, errors.Join(err, errBadID))
		return outcome.Verdict{Outcome: outcome.Failed, Err: err}
	}
	payload, tooLarge := a.payload()
	lease, err := a.executor.store.Claim(ctx, queue.ClaimRequest{
		Ref:     ref,
		Kind:    a.kind.Name,
		Payload: payload,
		Queue:   a.queue,
		First:   firstState(a.kind),
	})
	if err != nil {
		return a.decide(ctx, err)
	}
	if lease.Over {
		a.writeEnd(ctx, lease)
		if lease.State == tasks.StateCancelled { // before a worker had it
			labels := journal.Read(a.kind, payload)
			a.executor.metrics.JobEnded(labels, string(tasks.StateCancelled), 0)
		}
		return outcome.Verdict{Outcome: outcome.Obsolete}
	}

	gauge := a.executor.metrics.TrackJob(a.kind.Name, lease.ID)
	defer gauge.Close()
	c := a.newClaim(lease, gauge)
	var result tasks.Result
	if err = tooLarge; err == nil {
		result, err = c.run(ctx, payload)
	}
	decided := c.decide(ctx, result, err)
	recorded := c.record(ctx, decided)
	c.report(ctx, recorded)
	return recorded
}

// payload returns the payload of the task. One that is too large is not
// even copied: it is an error, and empty.
func (a *attempt) payload() ([]byte, error) {
	payload := a.task.Payload()
	if err := payloadsize.Check(len(payload), a.executor.maxPayload); err != nil {
		return nil, err
	}
	return payload, nil
}

// claim is a job that an attempt holds.
type claim struct {
	executor *executor
	attempt  *attempt
	job      coordinator.Job
	gauge    *metrics.JobGauge
}

func (a *attempt) newClaim(lease queue.Lease, gauge *metrics.JobGauge) *claim {
	return &claim{executor: a.executor, attempt: a, gauge: gauge, job: coordinator.Job{
		Kind:        a.kind,
		Lease:       lease,
		Env:         a.env(lease.ID, new(job.Progress)),
		Call:        a.code.Call,
		Gauge:       gauge,
		TurnOver:    a.turnOver,
		WriteResult: a.writeResult,
	}}
}

func firstState(k job.Kind) tasks.State {
	if k.Sharded != nil {
		return tasks.StatePlanning
	}
	return tasks.StateRunning
}

// journal writes the lines about the job.
func (c *claim) journal() journal.Job {
	lease := c.job.Lease
	return journal.NewJob(c.executor.log, lease.ID, lease.Round, c.attempt.labels)
}

// run decodes the payload and runs the job.
func (c *claim) run(ctx context.Context, payload []byte) (result tasks.Result, err error) {
	err = guard.Call(func() (err error) {
		if c.job.Payload, err = c.job.Kind.DecodeValid(payload); err != nil {
			return err
		}
		c.attempt.decoded(c.job.Payload)
		c.journal().Started(c.job.Lease.Epoch())
		result, err = c.runInTime(ctx)
		return err
	})
	return result, err
}

// runInTime runs the job until its time is up.
func (c *claim) runInTime(ctx context.Context) (tasks.Result, error) {
	ctx, cancel := c.limitTime(ctx)
	defer cancel()
	if ctx.Err() != nil { // it was too late before it began
		return nil, context.Cause(ctx)
	}
	result, err := c.executor.coordinator.Run(ctx, c.job)
	if cause := context.Cause(ctx); err != nil && outcome.IsOutOfTime(cause) {
		return nil, cause // whatever error the job has made of it
	}
	return result, err
}

// limitTime returns a context that ends with outcome.ErrTimeout after
// the time that the kind allows, or with outcome.ErrDeadline at the
// deadline of the payload.
func (c *claim) limitTime(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout, deadline := c.left()
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, outcome.ErrTimeout)
	ctx, cancelDeadline := context.WithTimeoutCause(ctx, deadline, outcome.ErrDeadline)
	return ctx, func() {
		cancelDeadline()
		cancel()
	}
}

// inTime shortens a pause so that the job runs again when its time is
// up. That run ends it.
func (c *claim) inTime(pause time.Duration) time.Duration {
	timeout, deadline := c.left()
	return max(0, min(pause, timeout, deadline))
}

// left returns how much time the job has left: of the time that its kind
// allows, and until the deadline of its payload. Both are by the clock
// of Redis: this process's may be wrong.
func (c *claim) left() (timeout, deadline time.Duration) {
	lease := c.job.Lease
	timeout = lease.Until(lease.Started.Add(c.job.Kind.Policy.Timeout))
	if c.job.Payload == nil { // it could not be decoded
		return timeout, timeout
	}
	if at := c.job.Payload.JobTerms().Deadline; !at.IsZero() {
		return timeout, lease.Until(at)
	}
	return timeout, math.MaxInt64
}

// writeEnd shows in asynq how a job has ended that another attempt ran.
// That attempt could not: asynq lets none write a result whose task it
// was asked to cancel.
func (a *attempt) writeEnd(ctx context.Context, lease queue.Lease) {
	if !lease.State.Final() {
		return // a later task carries the job
	}
	s, err := a.executor.store.Status(ctx, lease.ID)
	if err != nil {
		a.executor.log.Debug("end of a job not read", "job", lease.ID, "error", err)
		return
	}
	a.writeResult(endResult(s))
}

// writeResult stores data where asynqmon shows it. Only operators read
// it there, so a failure is worth one line.
func (a *attempt) writeResult(data []byte) {
	if len(data) == 0 || a.task.ResultWriter() == nil {
		return
	}
	if _, err := a.task.ResultWriter().Write(data); err != nil {
		a.executor.log.Debug("asynq result not written",
			"job", asynqtask.ParseJobRef(a.taskID).Job, "task", a.taskID, "error", err)
	}
}
