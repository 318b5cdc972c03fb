package worker

import (
	"sync"
	"time"
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
// another worker while its handler still runs.
//
// Each step may wait for Redis. If Redis does not answer, what could not
// be written down is done again by the workers that take over.
func (w *Worker) stop(servers []*server) {
	limit := time.NewTimer(w.config.DrainTimeout)
	defer limit.Stop()
	w.health.ready.Store(false)
	w.log.Info("draining")

	stopped := inBackground(func() { each(servers, (*server).Stop) })
	lastPoll := time.NewTimer(maxLastPoll)
	defer lastPoll.Stop()
	select {
	case <-stopped:
	case <-lastPoll.C: // a task that still comes is handed over at once
	}
	close(w.health.drain)

	ended := inBackground(func() {
		<-stopped
		each(servers, (*server).Shutdown)
	})
	select {
	case <-ended:
	case <-limit.C:
		w.log.Warn("the drain timeout is over: other workers repeat what is not committed")
	}
}

// shutdownTimeout returns how long asynq waits for handlers that do not
// stop.
func shutdownTimeout(drain time.Duration) time.Duration {
	return drain - min(maxPutBack, drain/4)
}

// inBackground calls do and returns a channel that is closed when do
// has returned.
func inBackground(do func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	return done
}

// each calls do for all servers at once, and waits.
func each(servers []*server, do func(*server)) {
	var group sync.WaitGroup
	for _, s := range servers {
		group.Go(func() { do(s) })
	}
	group.Wait()
}
