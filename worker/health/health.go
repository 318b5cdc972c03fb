// Package health answers what probes and metrics ask about a worker:
// whether it lives, takes tasks, stops, and reaches Redis.
package health

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

// Health is the state of one worker. Make it with New. It is safe for
// concurrent use.
type Health struct {
	ask   func(context.Context) error // whether Redis answers
	redis string                      // where Redis is, for messages
	drain chan struct{}               // closed when the worker begins to stop
	ready atomic.Bool                 // set while the pools take tasks
}

// New returns the health of a worker that has not started. ask returns
// an error if Redis does not answer. redis says where it is.
func New(ask func(context.Context) error, redis string) *Health {
	return &Health{ask: ask, redis: redis, drain: make(chan struct{})}
}

// SetReady says whether the pools take tasks.
func (h *Health) SetReady(ready bool) { h.ready.Store(ready) }

// Drain says that the worker begins to stop. It may be called once.
func (h *Health) Drain() { close(h.drain) }

// Drained returns a channel that is closed when the worker begins to
// stop.
func (h *Health) Drained() <-chan struct{} { return h.drain }

// Handler serves the probes of an orchestrator.
//
//   - /livez is 200 as long as the process answers. It does not ask Redis,
//     because an outage of Redis would then restart every worker.
//   - /readyz is 200 when the worker takes jobs: it runs, it does not stop,
//     and Redis answers.
func (h *Health) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(out http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(out, "alive")
	})
	mux.HandleFunc("GET /readyz", func(out http.ResponseWriter, r *http.Request) {
		if err := h.check(r.Context()); err != nil {
			http.Error(out, "not ready: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(out, "ready")
	})
	return mux
}

// check returns why the worker does not take jobs, or nil.
func (h *Health) check(ctx context.Context) error {
	if h.Draining() {
		return outcome.ErrDrain
	}
	if err := h.ping(ctx); err != nil {
		return fmt.Errorf("%s: %w", h.redis, err)
	}
	if !h.ready.Load() {
		return errors.New("this worker has not started")
	}
	return nil
}

// Draining reports whether the worker stops.
func (h *Health) Draining() bool {
	select {
	case <-h.drain:
		return true
	default:
		return false
	}
}

// RedisUp reports whether Redis answers.
func (h *Health) RedisUp() bool { return h.ping(context.Background()) == nil }

// ping gives Redis a second to answer.
func (h *Health) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return h.ask(ctx)
}
