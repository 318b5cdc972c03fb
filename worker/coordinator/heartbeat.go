package coordinator

import (
	"context"
	"errors"
	"time"

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
	result, err := r.job.Kind.Single.Run(ctx, r.job.Payload, r.job.Env)
	return result, fencedOr(ctx, err)
}

// sendHeartbeats sends a heartbeat with a report, again and again until stop
// is called. The returned context ends with queue.ErrFenced when the job is
// not this process's any more.
func (r *run) sendHeartbeats(
	ctx context.Context, report func() queue.ProgressReport,
) (inner context.Context, stop func()) {
	inner, cancel := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ticks := time.NewTicker(r.config.HeartbeatEvery)
		defer ticks.Stop()
		for {
			select {
			case <-inner.Done():
				return
			case <-ticks.C:
			}
			snapshot, err := r.job.Lease.Heartbeat(inner, report())
			switch {
			case errors.Is(err, queue.ErrFenced):
				cancel(err)
			case err == nil:
				r.progress.show(inner, snapshot)
			}
		}
	}()
	return inner, func() {
		cancel(nil)
		<-stopped
	}
}

// fencedOr returns queue.ErrFenced if that ended the context of
// sendHeartbeats, else err.
func fencedOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, queue.ErrFenced) {
		return cause
	}
	return err
}
