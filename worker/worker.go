// Package worker takes jobs off the queue and runs them: many at once,
// on any number of processes.
//
// It is the shell of the engine: configuration, registration of jobs,
// pools of slots, attempts and their outcomes, health. The packages
// below it do the work: coordinator runs one job, shard runs shards,
// outcome decides what an error means, reaper finds orphaned jobs, and
// metrics counts. The engine knows no job by name: main gives it the
// jobs and the clouds.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/worker/cancel"
	"github.com/stevedore-jobs/stevedore/worker/health"
	"github.com/stevedore-jobs/stevedore/worker/outage"
	"github.com/stevedore-jobs/stevedore/worker/reaper"
)

// Worker runs jobs. Make it with New and run it once with Run.
type Worker struct {
	config   Config
	log      *slog.Logger
	pools    []pool
	prompt   redis.UniversalClient // gives up soon: for what can be repeated
	patient  redis.UniversalClient // outlives a restart of Redis: for what must not be lost
	executor *executor
	reaper   *reaper.Reaper
	cancels  cancel.Listener
	health   *health.Health
	outage   *outage.Watch
}

// New makes a worker that runs the given jobs. There must be exactly
// one job for every built-in kind; jobs of other kinds are additional.
// The error names all faults at once. New does not touch Redis.
func New(c Config, jobs ...Registration) (*Worker, error) {
	pools := newPools(c)
	kinds, err := kindsOf(jobs, pools)
	if err := errors.Join(c.validate(), err); err != nil {
		return nil, err
	}
	return assemble(c.withDefaults(), kinds, pools)
}

// Run works until ctx ends, and then drains: it takes no new tasks,
// stops the jobs under way, and hands them over to other workers
// without using up an attempt. It waits for Redis when Redis does not
// answer, at the start and later. But it fails at once if Redis refuses
// its login, or is too old.
//
// The drain ends after Config.DrainTimeout, even if Redis hangs. It does
// not wait for the code of a job that ignores its context: such code may
// still run when Run has returned.
func (w *Worker) Run(ctx context.Context) error {
	defer w.closeClients()
	if err := w.outage.Await(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	background, stopBackground := w.startBackground(ctx)
	servers := make([]*server, 0, len(w.pools))
	for _, p := range w.pools {
		s := w.newServer(p)
		handler := func(ctx context.Context, t *asynq.Task) error {
			return w.executor.handle(ctx, p, t)
		}
		if err := s.Start(asynq.HandlerFunc(handler)); err != nil {
			w.stop(servers, stopBackground)
			return fmt.Errorf("start pool %s: %w", p.name, err)
		}
		servers = append(servers, s)
		background.Go(func() error { return w.keep(ctx, "pickup", s.conn.Watch) })
	}
	w.health.SetReady(true)
	started(w.log, w.pools, w.config.Redis.String())
	<-ctx.Done()
	w.stop(servers, stopBackground)
	w.log.Info("worker stopped")
	return nil
}

// Handler serves the probes of an orchestrator, /livez and /readyz. It
// may be called before Run.
func (w *Worker) Handler() http.Handler { return w.health.Handler() }

func (w *Worker) closeClients() { _, _ = w.prompt.Close(), w.patient.Close() }
