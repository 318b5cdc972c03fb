package coordinator

import (
	"context"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// single runs a single job.
func (r *run) single(ctx context.Context) (tasks.Result, error) {
	ctx, stop := r.sendHeartbeats(ctx, func() queue.ProgressReport {
		counts := r.job.Env.Progress.Counts()
		return r.progress.update(counts, counts.ObjectsTotal)
	})
	defer stop()
	result, err := r.callForResult(ctx, tasks.StateRunning, func() (tasks.Result, error) {
		return r.job.Kind.Single.Run(ctx, r.job.Payload, r.job.Env)
	})
	return result, fencedOr(ctx, err)
}
