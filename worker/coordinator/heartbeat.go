package coordinator

import (
	"context"
	"errors"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
)

// sendHeartbeats sends a heartbeat with a report, again and again until
// stop is called. The returned context ends with queue.ErrFenced when
// the job is not this process's any more, or with the panic of report.
func (r *run) sendHeartbeats(
	ctx context.Context, report func() queue.ProgressReport,
) (inner context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	group, inner := guard.WithContext(ctx)
	group.Go(func() error {
		ticks := time.NewTicker(r.config.HeartbeatEvery)
		defer ticks.Stop()
		for {
			select {
			case <-inner.Done():
				return nil
			case <-ticks.C:
			}
			snapshot, err := r.job.Lease.Heartbeat(inner, report())
			switch {
			case errors.Is(err, queue.ErrFenced):
				return err
			case err == nil:
				r.progress.show(inner, snapshot)
			}
		}
	})
	return inner, func() {
		cancel()
		_ = group.Wait() // the error is the cause of inner
	}
}

// fencedOr returns what ended the context of sendHeartbeats, if that was
// queue.ErrFenced or a panic, else err.
func fencedOr(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, queue.ErrFenced) || errors.Is(cause, guard.ErrPanic) {
		return cause
	}
	return err
}
