// Package worker is the engine: it takes jobs off the queue and runs them,
// many at once, on any number of processes.
//
// It knows queues, attempts, shards, drains and metrics, and no job by name:
// main hands it the jobs and the clouds.
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
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/providers/pacer"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// Config is how a worker is set up. Every field must be set, but Network, Log
// and Registry.
type Config struct {
	Redis     redisconn.Options
	Providers providers.Registry
	Network   *network.Network  // reaches clouds; nil without clouds
	Secrets   providers.Secrets // what payloads may name, and the keys that open what is sealed

	VerifySlots int // verifications at once
	JobSlots    int // sharded jobs coordinated at once; they mostly wait
	ShardSlots  int // shards and exports at once: the real work
	Parallel    int // requests in flight in each shard
	ListStreams int // listings in flight of one large bucket; less than 2 is 1

	// Caps that all workers share; 0 means none.
	BucketShards int // shards of all jobs on one bucket that are under way at once
	TenantShards int // shards of all jobs of one tenant

	// PartsBudget is how many bytes of Redis the parts of one job may take,
	// compressed; 0 means DefaultPartsBudget.
	PartsBudget int64

	// DrainTimeout is how long a stopping worker waits for jobs that do not
	// let go at once.
	DrainTimeout time.Duration

	Log      *slog.Logger          // nil means slog.Default
	Registry prometheus.Registerer // nil means no metrics are registered
}

// DefaultPartsBudget is enough for the manifest of about 20 million images.
const DefaultPartsBudget = 256 << 20

// Worker runs jobs. Make it with New, run it once with Run.
type Worker struct {
	config    Config
	log       *slog.Logger
	entries   map[string]entry
	pools     []pool
	redis     redis.UniversalClient // gives up soon: for readiness and metrics
	patient   redis.UniversalClient // outlives a restart of Redis: for records
	records   queue.Records         // patient: what must not be lost
	beats     queue.Records         // gives up soon: what the next time makes up for
	pulses    *pulses
	meters    sync.Map // job ID -> *meter of each job that this process runs
	slots     window
	buckets   network.Stack // its pacer keeps one limit a bucket for all jobs of this process
	client    *asynq.Client
	inspector *asynq.Inspector
	metrics   *metrics
	running   sync.Map      // IDs of the tasks whose handlers run in this process
	turn      chan struct{} // held by the careful run that touches an object, see shardRun.starting
	drain     chan struct{} // closed when the worker begins to stop
	ready     atomic.Bool
}

// New makes a worker of a setup and the jobs it shall run: exactly one for
// every kind. It does not touch Redis yet.
func New(c Config, jobs ...Registration) (*Worker, error) {
	if c.VerifySlots < 1 || c.JobSlots < 1 || c.ShardSlots < 1 || c.Parallel < 1 {
		return nil, errors.New("every pool needs at least one slot, and a shard one request in flight")
	}
	pools := pools(c)
	entries, err := table(jobs, pools)
	if err != nil {
		return nil, fmt.Errorf("jobs of this worker: %w", err)
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.PartsBudget == 0 {
		c.PartsBudget = DefaultPartsBudget
	}
	soon, patient := c.Redis.Client(), c.Redis.Patient()
	w := &Worker{
		config: c, log: c.Log, entries: entries, pools: pools,
		redis: soon, patient: patient, records: queue.NewRecords(patient), beats: queue.NewRecords(soon),
		client: asynq.NewClientFromRedisClient(patient), inspector: asynq.NewInspectorFromRedisClient(soon),
		buckets: network.Stack{
			Providers: c.Providers, Network: c.Network, ListStreams: c.ListStreams,
			Pacer: pacer.New(c.Parallel * (c.ShardSlots + c.JobSlots + c.VerifySlots)),
		},
		drain: make(chan struct{}), turn: make(chan struct{}, 1),
	}
	w.pulses = newPulses(w.beats, w.log)
	w.metrics, err = newMetrics(w)
	return w, err
}

// Run works until ctx ends and then drains: it takes nothing new, has every
// job under way let go, and hands them over to the other workers without
// using up an attempt. It waits for Redis when Redis is away, at the start
// and later.
func (w *Worker) Run(ctx context.Context) error {
	defer func() { _, _ = w.redis.Close(), w.patient.Close() }()
	background, stopBackground := w.background(ctx)
	defer stopBackground()
	servers := make([]*asynq.Server, 0, len(w.pools))
	for _, p := range w.pools {
		s := asynq.NewServer(w.config.Redis, w.asynqConfig(p))
		if err := s.Start(asynq.HandlerFunc(p.handler(w))); err != nil {
			w.stop(servers)
			return fmt.Errorf("start pool %s: %w", p.name, err)
		}
		servers = append(servers, s)
	}
	w.ready.Store(true)
	w.log.Info("worker started", "redis", w.config.Redis.String())
	background.Go(func() { w.warnEviction(ctx) })
	<-ctx.Done()
	w.stop(servers)
	w.log.Info("worker stopped")
	return nil
}

// background starts what goes on beside the pools. Shards beat until the last
// one has let go, that is until stop.
func (w *Worker) background(ctx context.Context) (group *sync.WaitGroup, stop func()) {
	beating, cancel := context.WithCancel(context.WithoutCancel(ctx))
	group = new(sync.WaitGroup)
	group.Go(func() { w.pulses.run(beating) })
	group.Go(func() { w.watchman(ctx) })
	group.Go(func() { w.heedCancel(ctx) })
	return group, func() { cancel(); group.Wait() }
}

// stop drains. First nothing new is taken anywhere, then every handler is
// told to let go, and only then do the servers shut down: asynq on its own
// would give a task back while its handler still runs.
func (w *Worker) stop(servers []*asynq.Server) {
	w.ready.Store(false)
	w.log.Info("draining")
	each(servers, (*asynq.Server).Stop)
	close(w.drain)
	each(servers, (*asynq.Server).Shutdown)
}

func each(servers []*asynq.Server, do func(*asynq.Server)) {
	var wg sync.WaitGroup
	for _, s := range servers {
		wg.Go(func() { do(s) })
	}
	wg.Wait()
}

// warnEviction looks once, when Redis answers, whether it may evict keys: a
// lost lease makes asynq lose its task for ever.
func (w *Worker) warnEviction(ctx context.Context) {
	for {
		v, err := w.redis.ConfigGet(ctx, "maxmemory-policy").Result()
		switch policy := v["maxmemory-policy"]; {
		case err == nil && policy != "noeviction":
			w.log.Warn("Redis may evict keys, which loses jobs: set maxmemory-policy noeviction", "policy", policy)
			return
		case err != nil && !errors.Is(redisconn.Wrap(err, "look"), redisconn.ErrUnavailable):
			w.log.Warn("could not look whether Redis may evict keys: maxmemory-policy must be noeviction", "error", err)
			return
		case err == nil:
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}
