package worker

import (
	"context"
	"errors"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

// An attempt at a job is settled in three steps: decide, record,
// report.

// jobVerdict is the verdict about a job, and its end if the job has
// ended.
type jobVerdict struct {
	outcome.Verdict
	end queue.End
}

// decide decides about an attempt that ended with a result or an error.
// It writes nothing.
func (c *claim) decide(ctx context.Context, r tasks.Result, err error) jobVerdict {
	v := jobVerdict{Verdict: c.attempt.decide(ctx, err)}
	v.end.Keep = c.job.Kind.Policy.Keep
	if c.job.Kind.Single != nil { // a sharded job has committed its counts
		counts := c.job.Env.Progress.Counts()
		v.end.Counts, v.end.Errors = &counts, c.job.Env.Progress.Errors()
	}
	if v.Outcome == outcome.Done {
		data, err := c.executor.wording.Result(r)
		if err != nil {
			v.Verdict = outcome.Verdict{Outcome: outcome.Failed, Err: err}
		}
		v.end.Result = data
	}
	if v.Outcome == outcome.Failed {
		v.end.Failure = c.executor.wording.Failure(v.Err)
	}
	v.Pause = c.inTime(v.Pause)
	return v
}

// record writes a verdict into the job's record before asynq gets its
// answer: until then nobody may take the task for lost. It returns the
// verdict that holds. That is another one if the job belongs to someone
// else by now, or if Redis does not take the end of the job.
func (c *claim) record(ctx context.Context, v jobVerdict) outcome.Verdict {
	late, cancel := detached(ctx)
	defer cancel()
	var err error
	switch {
	case v.Ended():
		v, err = c.end(late, v)
	case v.Again():
		err = c.job.Lease.Suspend(late, v.Pause)
	default:
		err = queue.ErrFenced
	}
	switch {
	case errors.Is(err, queue.ErrFenced):
		return c.whyFenced(late)
	case err != nil && v.Ended():
		return outcome.NotRecorded(ctx, err)
	case err != nil:
		// The job may be taken over before asynq brings the task back.
		// That does no harm.
		c.executor.log.Debug("job not suspended", "job", c.job.Lease.ID, "error", err)
	}
	return v.Verdict
}

// end ends the job. If its result does not fit into the job's budget in
// Redis, the job fails: it returns the verdict that holds.
func (c *claim) end(ctx context.Context, v jobVerdict) (jobVerdict, error) {
	err := c.publish(ctx, v)
	if errors.Is(err, queue.ErrBudget) {
		v = c.decide(ctx, nil, err)
		err = c.publish(ctx, v)
	}
	return v, err
}

func (c *claim) publish(ctx context.Context, v jobVerdict) error {
	c.job.WriteResult(endResult(tasks.Status{
		State: v.State(), Result: v.end.Result, Failure: v.end.Failure,
	}))
	return c.job.Lease.Publish(ctx, v.end)
}

// whyFenced returns why this attempt does not hold the job any more: it
// was cancelled, or another coordinator has it.
func (c *claim) whyFenced(ctx context.Context) outcome.Verdict {
	s, err := c.executor.store.Status(ctx, c.job.Lease.ID)
	if err != nil || s.State != tasks.StateCancelled || s.Round != c.job.Lease.Round {
		return outcome.Verdict{Outcome: outcome.Fenced, Err: queue.ErrFenced}
	}
	c.job.WriteResult(endResult(s))
	return outcome.Verdict{Outcome: outcome.Cancelled, Err: outcome.ErrCancelled}
}

// report counts a job that has ended.
func (c *claim) report(ctx context.Context, v outcome.Verdict) {
	labels := c.attempt.labels
	took := -c.job.Lease.Until(c.job.Lease.Started)
	metrics, counts := c.executor.metrics, c.gauge.Progress()
	if c.job.Kind.Single != nil {
		counts = c.job.Env.Progress.Counts()
	}
	switch {
	case v.Ended():
		metrics.JobEnded(labels, string(v.State()), took)
		problem := ""
		if v.Err != nil {
			problem = c.executor.wording.Text(v.Err.Error())
		}
		c.journal().Ended(v.State(), took, counts, problem)
		if c.job.Kind.Single != nil {
			metrics.ObjectsProcessed(labels, counts)
		}
	case v.Outcome == outcome.Cancelled:
		if errors.Is(context.Cause(ctx), context.Canceled) {
			return // asynq runs the task once more, and that run counts the job
		}
		metrics.JobEnded(labels, string(tasks.StateCancelled), took)
		c.journal().Ended(tasks.StateCancelled, took, counts, "")
	}
}
