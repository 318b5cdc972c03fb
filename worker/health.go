package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Handler serves the probes of an orchestrator. It may be called before Run.
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
	case w.draining():
		return errDrain
	case !w.ready.Load():
		return errors.New("this worker has not started")
	}
	if err := ping(ctx, w.prompt); err != nil {
		return fmt.Errorf("%s does not answer: %w", w.config.Redis, err)
	}
	return nil
}

func (w *Worker) draining() bool {
	select {
	case <-w.drain:
		return true
	default:
		return false
	}
}

// ping gives Redis a second to answer.
func ping(ctx context.Context, client redis.UniversalClient) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return client.Ping(ctx).Err()
}

// warnEviction warns if Redis may evict keys: without the key of its lease,
// asynq loses a task for ever. It asks until Redis answers or ctx ends.
func warnEviction(ctx context.Context, client redis.UniversalClient, log *slog.Logger) {
	const want = "set maxmemory-policy noeviction"
	for {
		v, err := client.ConfigGet(ctx, "maxmemory-policy").Result()
		switch policy := v["maxmemory-policy"]; {
		case err == nil && policy != "noeviction":
			log.Warn("Redis may evict keys, which loses jobs: "+want, "policy", policy)
			return
		case err == nil:
			return
		case !errors.Is(redisconn.Wrap(err, "read maxmemory-policy"), redisconn.ErrUnavailable):
			log.Warn("could not find out whether Redis may evict keys: "+want, "error", err)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}
