package worker

import (
	"context"
	"errors"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/journal"
	"github.com/stevedore-jobs/stevedore/worker/leftover"
	"github.com/stevedore-jobs/stevedore/worker/metrics"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

// The phases of a job that have tasks of their own, as metrics name
// them.
const (
	phaseJob   = "job"
	phaseShard = "shard"
)

// recordTimeout is how long an attempt that has ended may take to write
// down its outcome.
const recordTimeout = 30 * time.Second

// attempt is one run of one task.
type attempt struct {
	executor *executor
	task     *asynq.Task
	taskID   string
	queue    string
	kind     job.Kind
	phase    string
	failures int // attempts at this task that failed before
	start    time.Time
	labels   journal.Labels // only the kind until the payload is decoded
	code     *leftover.Attempt
}

// decoded is called with the payload of the job.
func (a *attempt) decoded(j tasks.Job) { a.labels = journal.Of(a.kind.Name, j) }

// decide decides about the attempt, which ended with err.
func (a *attempt) decide(ctx context.Context, err error) outcome.Verdict {
	return outcome.Decide(ctx, err, outcome.Count{
		Failures: a.failures,
		Attempts: a.kind.Policy.Attempts,
	})
}

// report counts the attempt and writes its one line of the log.
func (a *attempt) report(v outcome.Verdict) {
	took := time.Since(a.start)
	a.executor.metrics.AttemptEnded(metrics.Attempt{
		Kind:    a.kind.Name,
		Phase:   a.phase,
		Outcome: string(v.Outcome),
		Took:    took,
	})
	log := a.executor.log
	var panicked *guard.PanicError
	if errors.As(v.Err, &panicked) {
		log.Error("panic in a job",
			"job", asynqtask.ParseJobRef(a.taskID).Job, "task", a.taskID,
			"panic", panicked.Value, "stack", panicked.Stack)
	}

	log = log.With("job", asynqtask.ParseJobRef(a.taskID).Job, "task", a.taskID,
		"phase", a.phase, "outcome", string(v.Outcome), "seconds", journal.Seconds(took))
	log = log.With(a.labels.Attributes()...)
	text := a.executor.wording.Text
	switch {
	case v.Outcome == outcome.Failed, v.Outcome == outcome.Retry:
		log.Warn("attempt", "error", text(v.Err.Error()))
	case errors.Is(v.Err, outcome.ErrTurn): // every few seconds, while jobs compete
		log.Debug("attempt", "reason", text(v.Err.Error()))
	case v.Err != nil:
		log.Info("attempt", "reason", text(v.Err.Error()))
	default: // a job that has ended has a line of its own
		log.Debug("attempt")
	}
}

// env is what the job's code gets. It cannot open secrets that were
// sealed for another job, nor name those of another tenant. Its buckets
// can be opened after the payload was decoded.
func (a *attempt) env(id string, p *job.Progress) job.Env {
	e, kind := a.executor, a.kind.Name
	open := func(ctx context.Context, s tasks.Storage) (providers.Bucket, error) {
		secrets := e.secrets.For(providers.Owner{Job: id, Kind: kind, Tenant: a.labels.Tenant})
		return e.buckets.Open(ctx, s, secrets, e.metrics.Storage(a.labels, s))
	}
	return job.Env{
		ID:       id,
		Log:      e.log.With("job", id, "kind", kind),
		Progress: p,
		Parallel: e.parallel,
		Open:     open,
	}
}

// detached returns a context for writing down the outcome of an attempt
// whose own context may have ended.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
}
