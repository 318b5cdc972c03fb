package worker

import (
	"context"
	"errors"

	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

// startBackground starts what runs beside the pools. The heartbeats of
// shards end last, when stop is called: until then shards may run.
func (w *Worker) startBackground(ctx context.Context) (group *guard.Group, stop func()) {
	heartbeats, cancel := context.WithCancel(context.WithoutCancel(ctx))
	shards := w.executor.shards
	group = new(guard.Group)
	group.Go(func() error { return w.keep(heartbeats, "heartbeats", shards.SendHeartbeats) })
	for _, p := range w.pools {
		group.Go(func() error { return w.keep(heartbeats, "places", p.places.HoldPlaces) })
	}
	group.Go(func() error { return w.keep(ctx, "turns", shards.EndTurns) })
	group.Go(func() error { return w.keep(ctx, "reaper", w.reaper.Run) })
	group.Go(func() error { return w.keep(ctx, "cancellation", w.cancels.Listen) })
	group.Go(func() error { return w.keep(ctx, "outage", w.outage.Run) })
	return group, func() {
		cancel()
		w.closeClients() // ends the calls that wait for an answer
		_ = group.Wait() // keep returns no error
	}
}

// keep runs a part of the worker until ctx ends, also after a panic.
func (w *Worker) keep(ctx context.Context, part string, run func(context.Context)) error {
	guard.Keep(ctx, run, func(err error) { w.logPanic(part, err) })
	return nil // it is called in a guard.Group
}

// logPanic logs the panic of a part of the worker. An err that holds
// none is ignored.
func (w *Worker) logPanic(part string, err error) {
	var panicked *guard.PanicError
	if errors.As(err, &panicked) {
		w.log.Error("panic in the worker",
			"part", part, "panic", panicked.Value, "stack", panicked.Stack)
	}
}
