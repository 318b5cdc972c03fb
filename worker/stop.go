package worker

import (
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
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
func (w *Worker) stop(s *servers) {
	limit := time.NewTimer(w.config.DrainTimeout)
	defer limit.Stop()
	w.health.ready.Store(false)
	w.log.Info("draining")

	stopped := inBackground(func() { s.each((*asynq.Server).Stop) })
	lastPoll := time.NewTimer(maxLastPoll)
	defer lastPoll.Stop()
	select {
	case <-stopped:
	case <-lastPoll.C: // a task that still comes is handed over at once
	}
	close(w.health.drain)

	ended := inBackground(func() {
		<-stopped
		s.each((*asynq.Server).Shutdown)
		// Not before: asynq panics when its connection is closed.
		_ = s.connection.Close()
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

// servers are the asynq servers of a worker, one for each pool, and the
// connection that they share.
type servers struct {
	connection redis.UniversalClient
	all        []*asynq.Server
}

func newServers(connection redis.UniversalClient) *servers {
	return &servers{connection: connection}
}

func (s *servers) add(one *asynq.Server) { s.all = append(s.all, one) }

// each calls do for all servers at once, and waits.
func (s *servers) each(do func(*asynq.Server)) {
	var group sync.WaitGroup
	for _, one := range s.all {
		group.Go(func() { do(one) })
	}
	group.Wait()
}
