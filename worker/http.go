package worker

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Handler serves what probes ask:
//
//   - /livez is 200 as long as the process answers. Redis is left out of it on purpose, or an outage of Redis would
//     restart every worker.
//   - /readyz is 200 when the worker takes jobs: it runs, does not drain, and Redis answers.
//
// It may be called before Run.
func (w *Worker) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(out http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(out, "alive")
	})
	mux.HandleFunc("GET /readyz", func(out http.ResponseWriter, r *http.Request) {
		if err := w.readiness(r.Context()); err != nil {
			http.Error(out, "not ready: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(out, "ready")
	})
	return mux
}

func (w *Worker) readiness(ctx context.Context) error {
	switch {
	case closed(w.drain):
		return errDrain
	case !w.ready.Load():
		return fmt.Errorf("this worker has not started")
	}
	if err := w.ping(ctx); err != nil {
		return fmt.Errorf("%s does not answer: %w", w.config.Redis, err)
	}
	return nil
}

// ping asks Redis, and gives it a second to answer.
func (w *Worker) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return w.redis.Ping(ctx).Err()
}
