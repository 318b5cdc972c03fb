package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// attempt is one run of one task, from asynq's call to its answer: everything
// that happens to jobs and shards alike.
func (w *Worker) attempt(ctx context.Context, p pool, t *asynq.Task) error {
	id, _ := asynq.GetTaskID(ctx)
	a := attempt{kind: t.Type(), phase: "job", id: id, start: time.Now()}
	run := w.runJob
	if kind, ok := queue.ShardKind(t.Type()); ok {
		a.kind, a.phase, run = kind, "shard", w.runShard
	}
	// asynq matches a task's type by prefix and would run kind-v2 with kind's
	// handler; here the name is whole.
	e, ok := w.entries[a.kind]
	if !ok {
		return fmt.Errorf("this worker knows no task of type %q: %w", t.Type(), asynq.SkipRetry)
	}
	release, err := w.enter(ctx, p, id)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := w.drainable(ctx)
	defer cancel()
	f, err := run(ctx, e, t)
	w.report(a, f, err)
	if a.phase == "shard" && f == failed {
		return nil // the job's record has the reason; an archived task would only block its ID
	}
	return toAsynq(f, err)
}

type attempt struct {
	kind, phase, id string
	start           time.Time
}

// report is the one line and the one count of an attempt.
func (w *Worker) report(a attempt, f fate, err error) {
	w.metrics.attempt(a, f)
	var panicked *job.PanicError
	if errors.As(err, &panicked) {
		w.log.Error("panic in a job", "task", a.id, "panic", panicked.Value, "stack", panicked.Stack)
	}
	log := w.log.With("task", a.id, "kind", a.kind, "phase", a.phase, "outcome", string(f), "took", time.Since(a.start).Round(time.Millisecond))
	switch {
	case f == failed, f == again:
		log.Warn("attempt", "error", providers.RedactPatterns(err.Error()))
	case err != nil:
		log.Info("attempt", "reason", providers.RedactPatterns(err.Error()))
	case a.phase == "shard":
		log.Debug("attempt")
	default:
		log.Info("attempt")
	}
}

// enter takes a slot. asynq frees its own slot when a task times out or is
// cancelled, although the handler may still run, and may then start the same
// task a second time in the same process: here neither can be.
func (w *Worker) enter(ctx context.Context, p pool, id string) (release func(), err error) {
	if _, there := w.running.LoadOrStore(id, true); there {
		return nil, pausing(wait, errTwice, 0)
	}
	select {
	case p.sem <- struct{}{}:
		return func() { <-p.sem; w.running.Delete(id) }, nil
	case <-ctx.Done():
	case <-w.drain:
	}
	w.running.Delete(id)
	return nil, pausing(handover, errDrain, 0)
}

// drainable is a context that also ends, with errDrain as its cause, when the
// worker begins to stop.
func (w *Worker) drainable(ctx context.Context) (context.Context, context.CancelFunc) {
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

// open gives a job its buckets: confined to their prefix, counted, and paced
// as the cloud bears. Secrets sealed for another job stay closed.
func (w *Worker) open(id, kind string) func(context.Context, tasks.Storage) (providers.Bucket, error) {
	secrets := w.config.Secrets.For(id, kind)
	return func(ctx context.Context, s tasks.Storage) (providers.Bucket, error) {
		return w.buckets.Open(ctx, s, secrets, w.metrics.storage(kind, s.Provider))
	}
}

// failures is how often this task has failed before.
func failures(ctx context.Context) int {
	n, _ := asynq.GetRetryCount(ctx)
	return n
}
