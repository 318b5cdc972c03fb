// Package worker takes jobs off the queue and runs them: many at once, on
// any number of processes.
//
// It is the shell of the engine: configuration, pools of slots, attempts and
// their outcomes, registration of jobs, health. The machines below it do the
// work: coordinator runs one job, shard runs shards, reaper finds orphaned
// jobs, and metrics counts. The engine knows no job by name: main gives it
// the jobs and the clouds.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/providers/pacer"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/worker/coordinator"
	"github.com/stevedore-jobs/stevedore/worker/metrics"
	"github.com/stevedore-jobs/stevedore/worker/reaper"
	"github.com/stevedore-jobs/stevedore/worker/shard"
)

// How liveness is judged. Coordinators look at least as often as heartbeats
// come, so what users see is less than a second old.
const (
	heartbeatEvery = 400 * time.Millisecond
	// silentAfter is how long a worker may send no heartbeat before it counts
	// as dead. If it lives after all, some work is done twice. That does no
	// harm.
	silentAfter = 20 * time.Second
	// grace is how long workers have to send a heartbeat again after Redis
	// did not answer.
	grace = 5 * time.Second
)

// Worker runs jobs. Make it with New and run it once with Run.
type Worker struct {
	config  Config
	log     *slog.Logger
	wording wording
	kinds   map[string]kind
	pools   []pool

	prompt  redis.UniversalClient // gives up soon: for what can be repeated
	patient redis.UniversalClient // outlives a restart of Redis: for what must not be lost
	store   queue.Store
	tasks   asynqtask.Client

	coordinator *coordinator.Coordinator
	shards      *shard.Runner
	reaper      *reaper.Reaper
	metrics     *metrics.Metrics
	buckets     network.Stack // its pacer keeps one limit a bucket, for all jobs of this process

	running sync.Map      // IDs of the tasks whose handlers run in this process
	drain   chan struct{} // closed when the worker begins to stop
	ready   atomic.Bool
}

// New makes a worker that runs the given jobs. There must be exactly one job
// for every built-in kind; others are additional. The error names all faults
// at once. New does not touch Redis.
func New(c Config, jobs ...Registration) (*Worker, error) {
	pools := newPools(c)
	kinds, err := kindsOf(jobs, pools)
	if err := errors.Join(c.validate(), err); err != nil {
		return nil, err
	}

	c = c.withDefaults()
	w := &Worker{
		config:  c,
		log:     c.Log,
		wording: wording{c.SettingName, c.PartsBudget},
		kinds:   kinds,
		pools:   pools,
		prompt:  c.Redis.Client(),
		patient: c.Redis.Patient(),
		buckets: network.Stack{
			Providers:   c.Providers,
			Network:     c.Network,
			ListStreams: c.ListStreams,
			Pacer:       pacer.New(c.Parallel * (c.ShardSlots + c.JobSlots + c.VerifySlots)),
		},
		drain: make(chan struct{}),
	}
	w.store = queue.NewStore(w.patient).WithPrompt(w.prompt)
	w.tasks = asynqtask.NewClient(w.patient, w.prompt)
	if w.metrics, err = metrics.New(c.Registry, w.metricSources()); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	w.coordinator = w.newCoordinator()
	w.shards = shard.New(shard.Config{
		Store:          w.store,
		Metrics:        w.metrics,
		Log:            w.log,
		PartsBudget:    c.PartsBudget,
		HeartbeatEvery: heartbeatEvery,
	})
	w.reaper = w.newReaper()
	return w, nil
}

func (w *Worker) newCoordinator() *coordinator.Coordinator {
	return coordinator.New(coordinator.Config{
		Store:          w.store,
		Tasks:          w.tasks,
		Metrics:        w.metrics,
		Log:            w.log,
		ShardSlots:     w.config.ShardSlots,
		BucketShards:   w.config.BucketShards,
		TenantShards:   w.config.TenantShards,
		PartsBudget:    w.config.PartsBudget,
		HeartbeatEvery: heartbeatEvery,
		SilentAfter:    silentAfter,
		Grace:          grace,
	})
}

func (w *Worker) newReaper() *reaper.Reaper {
	kinds := map[string]reaper.Kind{}
	for name, k := range w.kinds {
		kinds[name] = reaper.Kind{Kind: k.Kind, Sharded: k.sharded != nil}
	}
	return reaper.New(reaper.Config{
		Store:       w.store,
		Tasks:       w.tasks,
		Kinds:       kinds,
		Metrics:     w.metrics,
		Log:         w.log,
		SilentAfter: silentAfter,
		Grace:       grace,
	})
}

// Run works until ctx ends, and then drains: it takes no new tasks, stops the
// jobs under way, and hands them over to other workers without using up an
// attempt. It waits for Redis when Redis does not answer, at the start and
// later.
func (w *Worker) Run(ctx context.Context) error {
	defer func() { _, _ = w.prompt.Close(), w.patient.Close() }()
	background, stopBackground := w.startBackground(ctx)
	defer stopBackground()
	servers := make([]*asynq.Server, 0, len(w.pools))
	for _, p := range w.pools {
		s := asynq.NewServer(w.config.Redis, asynqConfig(p, w.config.DrainTimeout, w.log))
		handler := func(ctx context.Context, t *asynq.Task) error { return w.handle(ctx, p, t) }
		if err := s.Start(asynq.HandlerFunc(handler)); err != nil {
			w.stop(servers)
			return fmt.Errorf("start pool %s: %w", p.name, err)
		}
		servers = append(servers, s)
	}
	w.ready.Store(true)
	w.log.Info("worker started", "redis", w.config.Redis.String())
	background.Go(func() { warnEviction(ctx, w.prompt, w.log) })

	<-ctx.Done()
	w.stop(servers)
	w.log.Info("worker stopped")
	return nil
}

// startBackground starts what runs beside the pools. The heartbeats of shards
// end last, when stop is called: until then shards may run.
func (w *Worker) startBackground(ctx context.Context) (group *sync.WaitGroup, stop func()) {
	heartbeats, cancel := context.WithCancel(context.WithoutCancel(ctx))
	group = new(sync.WaitGroup)
	group.Go(func() { w.shards.SendHeartbeats(heartbeats) })
	group.Go(func() { w.reaper.Run(ctx) })
	group.Go(func() { w.listenForCancel(ctx) })
	return group, func() {
		cancel()
		group.Wait()
	}
}

// stop drains. First no pool takes new tasks, then all handlers are asked to
// stop, and only then do the servers shut down: asynq on its own would give a
// task to another worker while its handler still runs.
func (w *Worker) stop(servers []*asynq.Server) {
	w.ready.Store(false)
	w.log.Info("draining")
	each(servers, (*asynq.Server).Stop)
	close(w.drain)
	each(servers, (*asynq.Server).Shutdown)
}

func each(servers []*asynq.Server, do func(*asynq.Server)) {
	var group sync.WaitGroup
	for _, s := range servers {
		group.Go(func() { do(s) })
	}
	group.Wait()
}
