package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

var errBadID = errors.New("a job's task has the job's ID, and no other colon")

// claimed is a job that this attempt holds.
type claimed struct {
	entry
	queue.Claim
	job   tasks.Job
	env   job.Env
	meter *meter       // what the world is shown of it
	write func([]byte) // into asynq's result, which asynqmon shows
}

// runJob is one attempt at a job: a single run, or coordinating its shards.
func (w *Worker) runJob(ctx context.Context, e entry, t *asynq.Task) (fate, error) {
	first := tasks.StateRunning
	if e.sharded != nil {
		first = tasks.StatePlanning
	}
	id, _ := asynq.GetTaskID(ctx)
	ref := queue.ParseJobRef(id)
	if err := queue.CheckID(ref.Job); err != nil || ref.TaskID() != id {
		return failed, fmt.Errorf("task %q: %w", id, errors.Join(err, errBadID))
	}
	claim, err := w.records.Begin(ctx, ref, e.Name, t.Payload(), first)
	if err != nil {
		return judge(ctx, err, failures(ctx), e.Policy.Attempts), err
	}
	if claim.Over {
		if claim.State == tasks.StateCancelled {
			w.metrics.cancelled(e.Name)
		}
		return dropped, nil
	}
	c := claimed{entry: e, Claim: claim, env: w.env(e, ref.Job, new(job.Progress)), write: resultWriter(t, w.log)}
	c.meter = w.meter(c)
	defer c.meter.end()
	var result tasks.Result
	err = job.Guard(func() (err error) {
		if c.job, err = decode(e, t.Payload()); err == nil {
			result, err = w.runClaimed(ctx, c)
		}
		return err
	})
	return w.settle(ctx, c, result, err)
}

func (w *Worker) runClaimed(ctx context.Context, c claimed) (tasks.Result, error) {
	ctx, cancel := context.WithDeadlineCause(ctx, c.Started.Add(c.Policy.Timeout), errTimeout)
	defer cancel()
	if d := c.job.JobTerms().Deadline; !d.IsZero() {
		ctx, cancel = context.WithDeadlineCause(ctx, d, errDeadline)
		defer cancel()
	}
	if ctx.Err() != nil { // it was too late before it began
		return nil, context.Cause(ctx)
	}
	c.meter.started(ctx)
	run := w.runSingle
	if c.sharded != nil {
		run = w.coordinate
	}
	result, err := run(ctx, c)
	if cause := context.Cause(ctx); err != nil && (errors.Is(cause, errTimeout) || errors.Is(cause, errDeadline)) {
		err = cause
	}
	return result, err
}

func decode(e entry, payload []byte) (tasks.Job, error) {
	j, err := e.Decode(payload)
	if err != nil {
		return nil, &tasks.InvalidError{JobKind: e.Name, Fields: []tasks.FieldError{{Field: "payload", Problem: err.Error()}}}
	}
	return j, j.Validate()
}

func (w *Worker) env(e entry, id string, p *job.Progress) job.Env {
	return job.Env{
		ID: id, Log: w.log.With("job", id, "kind", e.Name), Progress: p,
		Parallel: w.config.Parallel, Open: w.open(id, e.Name),
	}
}

// runSingle runs a single job, and meanwhile beats and shows how far it is.
func (w *Worker) runSingle(ctx context.Context, c claimed) (tasks.Result, error) {
	ctx, stop := w.keepBeating(ctx, c, func() queue.Shown {
		p := c.env.Progress.Counts()
		return c.meter.shown(p, p.ObjectsTotal, p.ObjectsTotal > 0)
	})
	defer stop()
	result, err := c.single.Run(ctx, c.job, c.env)
	return result, fencedOr(ctx, err)
}

// keepBeating tells that this process lives and how far the job is, until
// stop is called. The context ends when somebody else has the job.
func (w *Worker) keepBeating(ctx context.Context, c claimed, shown func() queue.Shown) (inner context.Context, stop func()) {
	inner, cancel := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ticks := time.NewTicker(beatEvery)
		defer ticks.Stop()
		for {
			select {
			case <-inner.Done():
				return
			case <-ticks.C:
			}
			v, err := w.beats.Look(inner, c.Claim, shown())
			switch {
			case errors.Is(err, queue.ErrFenced):
				cancel(err)
			case err == nil:
				c.meter.tell(inner, v.State)
			}
		}
	}()
	return inner, func() { cancel(nil); <-stopped }
}

// fencedOr is why a context that keepBeating made has ended, or else the
// error.
func fencedOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, queue.ErrFenced) {
		return cause
	}
	return err
}

// settle decides what becomes of the job and writes it down before asynq
// hears of it.
func (w *Worker) settle(ctx context.Context, c claimed, r tasks.Result, err error) (fate, error) {
	f := judge(ctx, err, failures(ctx), c.Policy.Attempts)
	late, cancel := late(ctx) // what is over is over, even if this attempt's time is, or the worker is stopping
	defer cancel()
	var end queue.End
	if f == done {
		if end.Result, err = json.Marshal(r); err != nil {
			f = failed
		}
	}
	if f == failed {
		end.Failure = failure(err)
	}
	var wrote error
	switch f {
	case done, failed:
		c.write(end.Result)
		wrote = w.publish(late, c, end)
	case again, wait, handover:
		err = pausing(f, err, failures(ctx))
		wrote = w.records.Rest(late, c.Claim, pauseOf(err))
	case lost, cancelled, dropped:
		wrote = queue.ErrFenced
	}
	switch {
	case errors.Is(wrote, queue.ErrFenced):
		f = w.afterFence(late, c)
		if f == cancelled && !errors.Is(context.Cause(ctx), context.Canceled) { // else asynq runs the task again, and that run counts
			w.metrics.ended(c, f)
		}
		if f == cancelled {
			return f, errCancelled
		}
		return f, queue.ErrFenced
	case wrote != nil && (f == done || f == failed):
		return judge(ctx, wrote, 0, 2), wrote
	case f == done || f == failed:
		w.giveBack(late, c)
		w.metrics.ended(c, f)
	}
	return f, err
}

// afterFence tells why somebody else may write and this coordinator may not.
func (w *Worker) afterFence(ctx context.Context, c claimed) fate {
	s, err := w.records.Status(ctx, c.ID)
	if err != nil || s.State != tasks.StateCancelled || s.Round != c.Round {
		return lost
	}
	c.write([]byte(`{"state":"cancelled"}`))
	w.giveBack(ctx, c)
	return cancelled
}

// giveBack lets others have the shares of a job whose shards have ended. One
// that is handed over keeps them: its shards still run elsewhere, and its
// next coordinator may hold them already.
func (w *Worker) giveBack(ctx context.Context, c claimed) {
	if c.sharded != nil && c.job != nil {
		s := w.shares(c)
		s.giveBack(ctx)
	}
}

func (w *Worker) publish(ctx context.Context, c claimed, e queue.End) error {
	e.Keep = c.Policy.Keep
	if c.single != nil {
		counts := c.env.Progress.Counts()
		e.Counts, e.Errors = &counts, c.env.Progress.Errors()
	}
	return w.records.Publish(ctx, c.Claim, e)
}

// resultWriter writes into asynq's result. It is only for people who look at
// asynqmon: failing is worth one line.
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
