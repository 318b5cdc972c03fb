package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/metrics"
)

// The phases of a job that have tasks of their own, as metrics name them.
const (
	phaseJob   = "job"
	phaseShard = "shard"
)

// lastWords is how long an attempt that has ended may take to write down its
// outcome.
const lastWords = 30 * time.Second

// attempt is one run of one task.
type attempt struct {
	kind     kind
	phase    string
	taskID   string
	queue    string
	failures int // attempts of this task that failed before
	start    time.Time
	task     *asynq.Task
}

// handle makes one attempt at a task, from asynq's call to the answer.
func (w *Worker) handle(ctx context.Context, p pool, t *asynq.Task) error {
	a, err := w.newAttempt(ctx, t)
	if err != nil {
		return err
	}
	leave, err := w.enter(ctx, p, a.taskID)
	if err != nil {
		return w.wording.answer(a, a.enterVerdict(err))
	}
	defer leave()
	ctx, cancel := w.untilDrain(ctx)
	defer cancel()

	var v verdict
	if a.phase == phaseShard {
		v = w.runShard(ctx, a)
	} else {
		v = w.runJob(ctx, a)
	}
	w.report(a, v)
	return w.wording.answer(a, v)
}

// newAttempt fails for a task of a kind that this worker does not run. asynq
// matches a task's type by prefix and would run kind-v2 with the handler of
// kind; here the whole name counts.
func (w *Worker) newAttempt(ctx context.Context, t *asynq.Task) (attempt, error) {
	name, phase := t.Type(), phaseJob
	if of, ok := asynqtask.ShardKind(name); ok {
		name, phase = of, phaseShard
	}
	k, ok := w.kinds[name]
	if !ok {
		return attempt{}, fmt.Errorf("this worker knows no task of type %q: %w",
			t.Type(), asynq.SkipRetry)
	}
	a := attempt{kind: k, phase: phase, start: time.Now(), task: t}
	a.taskID, _ = asynq.GetTaskID(ctx)
	a.queue, _ = asynq.GetQueueName(ctx)
	a.failures, _ = asynq.GetRetryCount(ctx)
	return a, nil
}

// untilDrain returns a context that also ends when the worker begins to stop.
// Its cause is then errDrain.
func (w *Worker) untilDrain(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-w.drain:
			cancel(errDrain)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// detached returns a context for writing down the outcome of an attempt whose
// own context may have ended.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), lastWords)
}

// report counts an attempt and writes its one line of the log.
func (w *Worker) report(a attempt, v verdict) {
	took := time.Since(a.start)
	w.metrics.AttemptEnded(metrics.Attempt{
		Kind:    a.kind.Name,
		Phase:   a.phase,
		Outcome: string(v.outcome),
		Took:    took,
	})
	var panicked *job.PanicError
	if errors.As(v.err, &panicked) {
		w.log.Error("panic in a job",
			"task", a.taskID, "panic", panicked.Value, "stack", panicked.Stack)
	}

	log := w.log.With("task", a.taskID, "kind", a.kind.Name, "phase", a.phase,
		"outcome", string(v.outcome), "took", took.Round(time.Millisecond))
	switch {
	case v.outcome == failed, v.outcome == retry:
		log.Warn("attempt", "error", w.wording.text(v.err.Error()))
	case v.err != nil:
		log.Info("attempt", "reason", w.wording.text(v.err.Error()))
	case a.phase == phaseShard:
		log.Debug("attempt")
	default:
		log.Info("attempt")
	}
}

// env is what a job's code gets.
func (w *Worker) env(a attempt, id string, p *job.Progress) job.Env {
	return job.Env{
		ID:       id,
		Log:      w.log.With("job", id, "kind", a.kind.Name),
		Progress: p,
		Parallel: w.config.Parallel,
		Open:     w.opener(id, a.kind.Name),
	}
}

// opener returns a function that opens the buckets of one job: confined to
// their prefix, with metrics, and with requests limited to what the cloud
// can take. It does not open secrets that were sealed for another job.
func (w *Worker) opener(id, kind string) func(context.Context, tasks.Storage) (providers.Bucket, error) {
	secrets := w.config.Secrets.For(id, kind)
	return func(ctx context.Context, s tasks.Storage) (providers.Bucket, error) {
		return w.buckets.Open(ctx, s, secrets, w.metrics.Storage(kind, s.Provider))
	}
}
