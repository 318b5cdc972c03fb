package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stevedore-jobs/stevedore/worker"
)

type workerCommand struct{}

// Run works until ctx ends, and serves /metrics, /livez and /readyz
// meanwhile.
func (workerCommand) Run(ctx context.Context, c console) error {
	cfg, err := load(c.environ)
	if err != nil {
		return err
	}
	log := cfg.logger(c.err)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	setup, err := cfg.workerConfig(log, registry)
	if err != nil {
		return err
	}
	if ids := setup.Secrets.Keys.IDs(); len(ids) > 0 {
		log.Info("sealed secrets can be opened", "keys", ids)
	}
	w, err := worker.New(setup, cfg.jobs()...)
	if err != nil {
		return err
	}
	stop, err := serve(ctx, cfg.HTTPAddr, endpoints(w, registry), log)
	if err != nil {
		return err
	}
	defer stop()
	return w.Run(ctx)
}

func endpoints(w *worker.Worker, registry *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.Handle("/", w.Handler())
	return mux
}

// serve answers on an address until stop is called, which is after the drain:
// probes must see that it drains. An empty address serves nothing.
func serve(ctx context.Context, addr string, h http.Handler, log *slog.Logger) (stop func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("STEVEDORE_HTTP_ADDR: %w", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	log.Info("serving /metrics, /livez and /readyz", "address", listener.Addr().String())
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("http server", "error", err)
		}
	}()
	return func() { _ = server.Close() }, nil
}
