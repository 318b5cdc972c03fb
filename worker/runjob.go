package worker

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// claimed is a job that this attempt holds.
type claimed struct {
	entry
	queue.Claim
	job   tasks.Job
	env   job.Env
	write func([]byte) // into asynq's result, which asynqmon shows
}

// runJob is one attempt at a job: a single run, or coordinating its shards.
func (w *Worker) runJob(ctx context.Context, e entry, t *asynq.Task) (fate, error) {
	first := tasks.StateRunning
	if e.sharded != nil {
		first = tasks.StatePlanning
	}
	id, _ := asynq.GetTaskID(ctx)
	claim, err := w.records.Begin(ctx, id, e.Name, t.Payload(), first)
	if err != nil || claim.State.Final() {
		return judge(ctx, err, failures(ctx), e.Policy.Attempts), err
	}
	c := claimed{entry: e, Claim: claim, env: w.env(e, id, new(job.Progress)), write: resultWriter(t, w.log)}
	ctx, cancel := context.WithDeadlineCause(ctx, claim.Started.Add(e.Policy.Timeout), errTimeout)
	defer cancel()
	var result tasks.Result
	err = job.Guard(func() (err error) {
		if c.job, err = decode(e, t.Payload()); err != nil {
			return err
		}
		if e.sharded != nil {
			result, err = w.coordinate(ctx, c)
		} else {
			result, err = w.runSingle(ctx, c)
		}
		return err
	})
	return w.settle(ctx, c, result, err)
}

func decode(e entry, payload []byte) (tasks.Job, error) {
	j, err := e.Decode(payload)
	if err != nil {
		return nil, &tasks.InvalidError{JobKind: e.Name, Faults: []tasks.Fault{{Field: "payload", Problem: err.Error()}}}
	}
	return j, j.Validate()
}

func (w *Worker) env(e entry, id string, p *job.Progress) job.Env {
	return job.Env{
		ID: id, Log: w.log.With("job", id, "kind", e.Name), Progress: p,
		Parallel: w.config.Parallel, Open: w.open(id, e.Name),
	}
}

// progressEvery is how old the progress that others see may be.
const progressEvery = 500 * time.Millisecond

// runSingle runs a single job, and shows its progress meanwhile.
func (w *Worker) runSingle(ctx context.Context, c claimed) (tasks.Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ticks := time.NewTicker(progressEvery)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
				if err := w.records.Progress(ctx, c.Claim, c.env.Progress.Counts()); errors.Is(err, queue.ErrFenced) {
					cancel(err)
				}
			}
		}
	}()
	result, err := c.single.Run(ctx, c.job, c.env)
	if cause := context.Cause(ctx); errors.Is(cause, queue.ErrFenced) {
		err = cause
	}
	cancel(nil)
	<-stopped
	return result, err
}

// settle decides what becomes of the job and writes it down before asynq hears of it.
func (w *Worker) settle(ctx context.Context, c claimed, r tasks.Result, err error) (fate, error) {
	f := judge(ctx, err, failures(ctx), c.Policy.Attempts)
	if f != done && f != failed {
		return f, err
	}
	end := queue.End{Keep: c.Policy.Keep, Errors: c.env.Progress.Errors()}
	if f == failed {
		end.Failure = failure(err)
	} else if end.Result, err = json.Marshal(r); err != nil {
		return failed, err
	}
	// The job is over even if this attempt's time is, or the worker is stopping.
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.config.DrainTimeout)
	defer cancel()
	if wrote := w.publish(late, c, end); wrote != nil {
		return judge(ctx, wrote, 0, 2), wrote
	}
	w.metrics.ended(c, f)
	return f, err
}

func (w *Worker) publish(ctx context.Context, c claimed, end queue.End) error {
	if c.single != nil {
		if err := w.records.Progress(ctx, c.Claim, c.env.Progress.Counts()); err != nil {
			return err
		}
	}
	c.write(end.Result)
	return w.records.Publish(ctx, c.Claim, end)
}

// resultWriter writes into asynq's result. It is only for people who look at asynqmon: failing is worth one line.
func resultWriter(t *asynq.Task, log *slog.Logger) func([]byte) {
	return func(data []byte) {
		if len(data) == 0 || t.ResultWriter() == nil {
			return
		}
		if _, err := t.ResultWriter().Write(data); err != nil {
			log.Debug("asynq result not written", "error", err)
		}
	}
}
