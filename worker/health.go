package worker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

// health is what probes and metrics ask about this worker.
type health struct {
	client redis.UniversalClient
	redis  string        // where Redis is, for messages
	drain  chan struct{} // closed when the worker begins to stop
	ready  atomic.Bool   // set while the pools take tasks
}

func newHealth(client redis.UniversalClient, redis string) *health {
	return &health{client: client, redis: redis, drain: make(chan struct{})}
}

// Handler serves the probes of an orchestrator. It may be called before
// Run.
//
//   - /livez is 200 as long as the process answers. It does not ask Redis,
//     because an outage of Redis would then restart every worker.
//   - /readyz is 200 when the worker takes jobs: it runs, it does not stop,
//     and Redis answers.
func (w *Worker) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(out http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(out, "alive")
	})
	mux.HandleFunc("GET /readyz", func(out http.ResponseWriter, r *http.Request) {
		if err := w.health.check(r.Context()); err != nil {
			http.Error(out, "not ready: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(out, "ready")
	})
	return mux
}

// check returns why the worker does not take jobs, or nil.
func (h *health) check(ctx context.Context) error {
	if h.draining() {
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

func (h *health) draining() bool {
	select {
	case <-h.drain:
		return true
	default:
		return false
	}
}

func (h *health) redisUp() bool { return h.ping(context.Background()) == nil }

// ping gives Redis a second to answer.
func (h *health) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return redisconn.Ping(ctx, h.client)
}
