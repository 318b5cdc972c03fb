package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/worker/coordinator"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/journal"
	"github.com/stevedore-jobs/stevedore/worker/leftover"
	"github.com/stevedore-jobs/stevedore/worker/metrics"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
	"github.com/stevedore-jobs/stevedore/worker/shard"
)

// executor makes attempts at tasks. It holds what attempts use.
type executor struct {
	kinds       map[string]job.Kind
	store       queue.Store
	coordinator *coordinator.Coordinator
	shards      *shard.Runner
	buckets     network.Stack
	secrets     providers.Secrets
	parallel    int // requests in flight in each shard
	maxPayload  int // bytes; 0 means payloadsize.Max
	metrics     *metrics.Metrics
	wording     outcome.Wording
	log         *slog.Logger
	leftovers   *leftover.Watch

	drain   <-chan struct{} // closed when the worker begins to stop
	running sync.Map        // IDs of the tasks whose handlers run in this process
}

// handle makes one attempt at a task, from asynq's call to the answer.
func (e *executor) handle(ctx context.Context, p pool, t *asynq.Task) error {
	id, _ := asynq.GetTaskID(ctx)
	leave, over, err := e.enter(p, id)
	if err != nil {
		v := outcome.NotStarted(err)
		return answer(v, e.wording.Error(v.Err))
	}
	a, err := e.newAttempt(ctx, t)
	if err != nil {
		leave()
		return err
	}
	a.turnOver = over
	a.code = e.leftovers.Attempt(leftover.Labels{
		Pool: p.name, Kind: a.kind.Name, Job: asynqtask.ParseJobRef(a.taskID).Job, Task: a.taskID,
	})
	defer a.code.Release(leave)
	ctx, cancel := e.untilDrain(ctx)
	defer cancel()

	var v outcome.Verdict
	if a.phase == phaseShard {
		v = a.runShard(ctx)
	} else {
		v = a.runJob(ctx)
	}
	a.report(v)
	if !v.Again() { // until its code returns, asynq must not give the slot away
		a.code.Wait(e.drain)
	}
	if a.phase == phaseShard && v.Outcome == outcome.Failed {
		// The reason is in the job's record, and an archived task would
		// only block its ID.
		return nil
	}
	return answer(v, e.wording.Error(v.Err))
}

// newAttempt fails for a task of a kind that this worker does not run.
// asynq matches a task's type by prefix and would run kind-v2 with the
// handler of kind; here the whole name counts.
func (e *executor) newAttempt(ctx context.Context, t *asynq.Task) (*attempt, error) {
	name, phase := t.Type(), phaseJob
	if of, ok := asynqtask.ShardKind(name); ok {
		name, phase = of, phaseShard
	}
	k, ok := e.kinds[name]
	if !ok {
		return nil, fmt.Errorf("this worker knows no task of type %q: %w",
			t.Type(), asynq.SkipRetry)
	}
	a := &attempt{executor: e, task: t, kind: k, phase: phase, start: time.Now()}
	a.labels = journal.Of(k.Name, nil)
	a.taskID, _ = asynq.GetTaskID(ctx)
	a.queue, _ = asynq.GetQueueName(ctx)
	a.failures, _ = asynq.GetRetryCount(ctx)
	return a, nil
}

// enter takes the place that the pool keeps for a task. It fails when
// the task already runs in this process, or when the worker stops.
//
// asynq frees its own slot when a task times out or is cancelled,
// although the handler may still run. It may then even start the same
// task again in the same process. The pool counts handlers that really
// run, and enter does not allow a second one.
func (e *executor) enter(
	p pool, taskID string,
) (leave func(), over <-chan struct{}, err error) {
	free, over, ok := p.places.Enter(taskID)
	if !ok {
		return nil, nil, outcome.ErrNoPlace
	}
	if _, running := e.running.LoadOrStore(taskID, true); running {
		free()
		return nil, nil, outcome.ErrAlreadyRunning
	}
	leave = func() {
		e.running.Delete(taskID)
		free()
	}
	select {
	case <-e.drain:
		leave()
		return nil, nil, outcome.ErrDrain
	default:
		return leave, over, nil
	}
}

// untilDrain returns a context that also ends when the worker begins to
// stop. Its cause is then outcome.ErrDrain.
func (e *executor) untilDrain(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	guard.Go(func() error {
		select {
		case <-e.drain:
			cancel(outcome.ErrDrain)
		case <-ctx.Done():
		}
		return nil
	})
	return ctx, func() { cancel(nil) }
}
