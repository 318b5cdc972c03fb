package worker

import (
	"context"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

const (
	// maxLastPoll is how long a stopping worker waits for its pools to
	// end the call that asks for the next task.
	maxLastPoll = time.Second
	// maxPutBack is how long before its end a stopping worker gives up
	// the jobs that do not stop, so that it can put their tasks back on
	// the queue.
	maxPutBack = 2 * time.Second
)

// stop drains, and returns after the drain timeout at the latest. First
// no pool takes new tasks, then all handlers are asked to stop, and only
// then do the servers shut down: asynq on its own would give a task to
// another worker while its handler still runs. stopBackground stops what
// runs beside the pools.
//
// Each step may wait for Redis, the last one too. If Redis does not
// answer, what could not be written down is done again by the workers
// that take over.
func (w *Worker) stop(servers []*server, stopBackground func()) {
	limit, cancel := context.WithTimeout(context.Background(), w.config.DrainTimeout)
	defer cancel()
	w.health.SetReady(false)
	w.log.Info("draining")

	stopped := w.inBackground(servers, (*server).Stop)
	lastPoll := time.NewTimer(maxLastPoll)
	defer lastPoll.Stop()
	select {
	case <-stopped:
	case <-lastPoll.C: // a task that still comes is handed over at once
	}
	w.health.Drain()

	ended := w.inBackground(servers, func(s *server) {
		<-stopped
		s.Shutdown()
	})
	select {
	case <-ended:
	case <-limit.Done():
		w.log.Warn("the drain timeout is over: other workers repeat what is not committed")
	}
	w.executor.leftovers.LogAll()
	select {
	case err := <-guard.Go(func() error { stopBackground(); return nil }):
		w.logPanic("stop", err)
	case <-limit.Done():
	}
}

// shutdownTimeout returns how long asynq waits for handlers that do not
// stop.
func shutdownTimeout(drain time.Duration) time.Duration {
	return drain - min(maxPutBack, drain/4)
}

// inBackground calls do for all servers at once. The channel is closed
// when all calls have returned.
func (w *Worker) inBackground(servers []*server, do func(*server)) <-chan struct{} {
	done := make(chan struct{})
	guard.Go(func() error {
		defer close(done)
		var group guard.Group
		for _, s := range servers {
			group.Go(func() error { do(s); return nil })
		}
		w.logPanic("stop", group.Wait())
		return nil
	})
	return done
}
