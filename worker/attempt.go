package worker

import (
	"context"
	"errors"
	"time"

	"github.com/hibiken/asynq"

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
	executor *executor
	task     *asynq.Task
	taskID   string
	queue    string
	kind     kind
	phase    string
	failures int // attempts at this task that failed before
	start    time.Time
}

// report counts the attempt and writes its one line of the log.
func (a *attempt) report(v verdict) {
	took := time.Since(a.start)
	a.executor.metrics.AttemptEnded(metrics.Attempt{
		Kind:    a.kind.Name,
		Phase:   a.phase,
		Outcome: string(v.outcome),
		Took:    took,
	})
	log := a.executor.log
	var panicked *job.PanicError
	if errors.As(v.err, &panicked) {
		log.Error("panic in a job",
			"task", a.taskID, "panic", panicked.Value, "stack", panicked.Stack)
	}

	log = log.With("task", a.taskID, "kind", a.kind.Name, "phase", a.phase,
		"outcome", string(v.outcome), "took", took.Round(time.Millisecond))
	text := a.executor.wording.text
	switch {
	case v.outcome == failed, v.outcome == retry:
		log.Warn("attempt", "error", text(v.err.Error()))
	case v.err != nil:
		log.Info("attempt", "reason", text(v.err.Error()))
	case a.phase == phaseShard:
		log.Debug("attempt")
	default:
		log.Info("attempt")
	}
}

// env is what the job's code gets.
func (a *attempt) env(id string, p *job.Progress) job.Env {
	return job.Env{
		ID:       id,
		Log:      a.executor.log.With("job", id, "kind", a.kind.Name),
		Progress: p,
		Parallel: a.executor.parallel,
		Open:     a.executor.buckets.opener(id, a.kind.Name),
	}
}

// detached returns a context for writing down the outcome of an attempt whose
// own context may have ended.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), lastWords)
}
