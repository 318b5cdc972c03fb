package coordinator

import (
	"context"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// sharded runs a sharded job. Shards already run while later ones are
// planned.
func (r *run) sharded(ctx context.Context) (tasks.Result, error) {
	s := newSupervisor(r) // runs code of the payload, so not in a new goroutine
	group, inner := guard.WithContext(ctx)
	planned := make(chan struct{})
	group.Go(func() error {
		if r.job.Lease.State == tasks.StatePlanning {
			plan := func() error { return r.plan(inner) }
			if err := r.call(inner, tasks.StatePlanning, plan); err != nil {
				return err
			}
		}
		close(planned)
		return nil
	})
	group.Go(func() error { return s.supervise(inner, planned) })
	if err := group.Wait(); err != nil {
		return nil, err
	}

	err := r.job.Lease.Advance(ctx, tasks.StateRunning, tasks.StateFinishing)
	if err != nil {
		return nil, err
	}
	return r.finish(ctx)
}

// finish makes the job's result from what the shards have committed.
func (r *run) finish(ctx context.Context) (tasks.Result, error) {
	ctx, stop := r.sendHeartbeats(ctx, func() queue.ProgressReport { return r.progress.report })
	defer stop()
	totals, err := r.job.Lease.Totals(ctx)
	if err != nil {
		return nil, err
	}
	r.job.Env.Log.Info("finishing", "shards", totals.Shards)

	parts := job.Parts{
		Tally:    totals.Tally,
		Codes:    totals.Codes,
		Bytes:    totals.Bytes,
		Size:     totals.Size,
		Failed:   totals.Failed,
		Warnings: totals.Warnings,
		Data:     r.job.Lease.Parts(ctx, totals.Shards),
		Earlier:  r.job.Lease.PreviousResult,
	}
	result, err := r.callForResult(ctx, tasks.StateFinishing, func() (tasks.Result, error) {
		return r.job.Kind.Sharded.Finish(ctx, r.job.Payload, r.job.Env, parts)
	})
	return result, fencedOr(ctx, err)
}
