package coordinator

import (
	"context"
	"errors"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// sendHeartbeats sends a heartbeat with a report, again and again until
// stop is called. The returned context ends with queue.ErrFenced when
// the job is not this process's any more.
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
