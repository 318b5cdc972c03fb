package worker

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// An attempt at a job is settled in three steps: decide, record, report.

// jobVerdict is the verdict about a job, and its end if the job has ended.
type jobVerdict struct {
	verdict
	end queue.End
}

// decideJob decides about an attempt at a job. It writes nothing.
func (w *Worker) decideJob(ctx context.Context, c claim, r tasks.Result, err error) jobVerdict {
	v := jobVerdict{verdict: c.attempt.verdict(ctx, err)}
	v.end.Keep = c.attempt.kind.Policy.Keep
	if c.job.Single != nil { // a sharded job has committed its counts
		counts := c.job.Env.Progress.Counts()
		v.end.Counts, v.end.Errors = &counts, c.job.Env.Progress.Errors()
	}
	switch v.outcome {
	case done:
		data, err := json.Marshal(r)
		if err != nil {
			v.verdict = verdict{outcome: failed, err: err}
			v.end.Failure = w.wording.failure(err)
			break
		}
		v.end.Result = w.wording.result(data)
	case failed:
		v.end.Failure = w.wording.failure(err)
	case retry, snooze, handover, fenced, obsolete, cancelled:
	}
	return v
}

// recordJob writes a verdict into the job's record before asynq gets its
// answer: until then nobody may take the task for lost. It returns the
// verdict that holds. That is another one if the job belongs to someone else
// by now, or if Redis does not take the end of the job.
func (w *Worker) recordJob(ctx context.Context, c claim, v jobVerdict) verdict {
	late, cancel := detached(ctx)
	defer cancel()
	var err error
	switch v.outcome {
	case done, failed:
		c.job.WriteResult(v.end.Result)
		err = c.job.Lease.Publish(late, v.end)
		if err != nil && !errors.Is(err, queue.ErrFenced) {
			return repeatVerdict(ctx, err)
		}
	case retry, snooze, handover:
		// If this fails, the job may be taken over before asynq brings the
		// task back. That does no harm.
		err = c.job.Lease.Suspend(late, v.pause)
	case fenced, obsolete, cancelled:
		err = queue.ErrFenced
	}
	if errors.Is(err, queue.ErrFenced) {
		return w.whyFenced(late, c)
	}
	if v.outcome == done || v.outcome == failed {
		w.coordinator.Release(late, c.job)
	}
	return v.verdict
}

// whyFenced returns why this attempt does not hold the job any more: it was
// cancelled, or another coordinator has it.
func (w *Worker) whyFenced(ctx context.Context, c claim) verdict {
	s, err := w.store.Status(ctx, c.job.Lease.ID)
	if err != nil || s.State != tasks.StateCancelled || s.Round != c.job.Lease.Round {
		return verdict{outcome: fenced, err: queue.ErrFenced}
	}
	c.job.WriteResult([]byte(`{"state":"cancelled"}`))
	w.coordinator.Release(ctx, c.job)
	return verdict{outcome: cancelled, err: errCancelled}
}

// reportJob counts a job that has ended.
func (w *Worker) reportJob(ctx context.Context, c claim, v verdict) {
	var state tasks.State
	switch v.outcome {
	case done:
		state = tasks.StateSucceeded
	case failed:
		state = tasks.StateFailed
	case cancelled:
		if errors.Is(context.Cause(ctx), context.Canceled) {
			return // asynq runs the task once more, and that run counts the job
		}
		state = tasks.StateCancelled
	case retry, snooze, handover, fenced, obsolete:
		return
	}
	w.metrics.JobEnded(c.attempt.kind.Name, string(state), time.Since(c.job.Lease.Started))
	if c.job.Single != nil && v.outcome != cancelled {
		counts := c.job.Env.Progress.Counts()
		w.metrics.ObjectsProcessed(c.attempt.kind.Name, counts.Objects, counts.Failed)
	}
}
