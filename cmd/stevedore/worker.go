package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/cli"
	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

type workerCommand struct{}

// Help is shown by worker --help.
func (workerCommand) Help() string {
	return `
Examples:

    stevedore worker
    STEVEDORE_REDIS_URL=redis://redis:6379/0 STEVEDORE_LOG_FORMAT=text \
        stevedore worker

The settings are variables, with these defaults:

` + settings.Help()
}

// Run runs a worker until ctx ends. Meanwhile it serves /metrics,
// /livez and /readyz.
func (workerCommand) Run(ctx context.Context, c cli.Console) error {
	s, err := settings.LoadWorker(c.Environ)
	if err != nil {
		return err
	}
	log := s.Logger(c.Err)
	for _, w := range s.Warnings {
		log.Warn(w)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	config, err := workerConfig(s, log, registry)
	if err != nil {
		return cli.Invalid(err)
	}
	w, err := worker.New(config, jobs(s)...)
	if err != nil {
		return err
	}
	if ids := s.PrivateKeys.IDs(); len(ids) > 0 {
		log.Info("sealed secrets can be opened", "keys", ids)
	}
	if warning := s.WarnOfSharedSecrets(); warning != "" {
		log.Warn(warning)
	}
	limitMemory(s, c.Environ, log)
	stop, err := serve(ctx, s.HTTPAddr, endpoints(w, registry), log)
	if err != nil {
		return err
	}
	defer stop()
	return w.Run(ctx)
}

// limitMemory sets the limit of the garbage collector by the budget,
// unless the operator has set one in GOMEMLIMIT.
func limitMemory(s settings.Settings, environ []string, log *slog.Logger) {
	if settings.Map(environ)["GOMEMLIMIT"] != "" {
		log.Info("memory", "budget_bytes", s.MemoryBudget)
		return
	}
	limit := memory.LimitHeap(s.MemoryBudget, memory.Available(os.DirFS("/")))
	log.Info("memory", "budget_bytes", s.MemoryBudget, "heap_limit_bytes", limit)
}

func endpoints(w *worker.Worker, registry *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.Handle("/", w.Handler())
	return mux
}

// serve serves HTTP on an address until stop is called. That is after
// the drain, so that probes see the drain. An empty address serves
// nothing.
func serve(
	ctx context.Context, addr string, h http.Handler, log *slog.Logger,
) (stop func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", settings.Name(settings.HTTPAddr), err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	log.Info("serving /metrics, /livez and /readyz", "address", listener.Addr().String())
	guard.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("http server", "error", err)
		}
		return nil
	})
	return func() { _ = server.Close() }, nil
}
