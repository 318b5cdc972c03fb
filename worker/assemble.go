package worker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/providers/pacer"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/apart"
	"github.com/stevedore-jobs/stevedore/worker/cancel"
	"github.com/stevedore-jobs/stevedore/worker/coordinator"
	"github.com/stevedore-jobs/stevedore/worker/health"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/leftover"
	"github.com/stevedore-jobs/stevedore/worker/metrics"
	"github.com/stevedore-jobs/stevedore/worker/outage"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
	"github.com/stevedore-jobs/stevedore/worker/reaper"
	"github.com/stevedore-jobs/stevedore/worker/shard"
)

// How the worker finds out which runs are alive. Coordinators look at
// least as often as heartbeats come, so what users see is less than a
// second old.
const (
	heartbeatEvery = 400 * time.Millisecond
	// silentAfter is how long a worker may send no heartbeat before it
	// counts as dead. If it lives after all, some work is done twice.
	// That does no harm.
	silentAfter = 20 * time.Second
	// grace is how long workers have to send a heartbeat again after
	// Redis did not answer.
	grace = 5 * time.Second
	// turn is how long a shard may keep its slot while other jobs wait,
	// and a coordinator while a tenant waits who has no slot.
	turn = 10 * time.Second
)

// assemble makes a worker of a valid configuration: it gives each part
// what it uses.
func assemble(c Config, kinds map[string]job.Kind, pools []pool) (*Worker, error) {
	prompt, patient := c.Redis.Client(), c.Redis.Patient()
	store := queue.NewStore(patient).WithPrompt(prompt).WithLimits(c.limits())
	openPlaces(c, kinds, prompt, pools)
	inspector, slowed := asynqtask.NewClient(patient, prompt), newPacer(c)
	h, left, room := newHealth(c, prompt), leftover.New(c.Log), new(apart.Room)
	wording := outcome.Wording{SettingName: c.SettingName, Limits: c.limits()}
	m, err := metrics.New(c.Registry, metrics.Sources{
		Queues:   inspector.Queues,
		Pools:    poolMetrics(pools, left),
		Limits:   slowed.Limits,
		RedisUp:  h.RedisUp,
		Draining: h.Draining,
		Log:      c.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}

	return &Worker{
		config: c,
		log:    c.Log,
		pools:  pools,
		prompt: prompt, patient: patient,
		health:  h,
		outage:  outage.New(c.Redis, prompt, c.Log, wording.Text),
		cancels: cancel.Listener{Client: prompt, Store: store, Kinds: kinds, Log: c.Log},
		reaper:  newReaper(c, kinds, store, inspector, m),
		executor: &executor{
			kinds:       kinds,
			store:       store,
			coordinator: newCoordinator(c, store, inspector, m, room),
			shards:      newShardRunner(c, store, pools, m, room),
			buckets: network.Stack{
				Providers:   c.Providers,
				Network:     c.Network,
				ListStreams: c.ListStreams,
				Pacer:       slowed,
			},
			secrets:    c.Secrets,
			parallel:   c.Parallel,
			maxPayload: c.PayloadLimit,
			metrics:    m,
			wording:    wording,
			log:        c.Log,
			leftovers:  left,
			drain:      h.Drained(),
		},
	}, nil
}

// newPacer returns a pacer for as many requests as all slots can make.
func newPacer(c Config) *pacer.Pacer {
	return pacer.New(c.Parallel * (c.ShardSlots + c.JobSlots + c.VerifySlots))
}

func newHealth(c Config, prompt redis.UniversalClient) *health.Health {
	ask := func(ctx context.Context) error { return redisconn.Ping(ctx, prompt) }
	return health.New(ask, c.Redis.String())
}

func newCoordinator(
	c Config, store queue.Store, t asynqtask.Client, m *metrics.Metrics, room *apart.Room,
) *coordinator.Coordinator {
	return coordinator.New(coordinator.Config{
		Store:          store,
		Tasks:          t,
		Metrics:        m,
		Log:            c.Log,
		ShardSlots:     c.ShardSlots,
		RedisBudget:    c.RedisBudget,
		Apart:          room.EnterJob,
		HeartbeatEvery: heartbeatEvery,
		SilentAfter:    silentAfter,
		Grace:          grace,
	})
}

func newReaper(
	c Config, kinds map[string]job.Kind, store queue.Store, t asynqtask.Client, m *metrics.Metrics,
) *reaper.Reaper {
	return reaper.New(reaper.Config{
		Store:       store,
		Tasks:       t,
		Kinds:       kinds,
		Metrics:     m,
		Log:         c.Log,
		SilentAfter: silentAfter,
		Grace:       grace,
	})
}

func newShardRunner(
	c Config, s queue.Store, pools []pool, m *metrics.Metrics, room *apart.Room,
) *shard.Runner {
	isShards := func(p pool) bool { return p.name == poolShards }
	return shard.New(shard.Config{
		Store:          s,
		Metrics:        m,
		Log:            c.Log,
		HeartbeatEvery: heartbeatEvery,
		Turn:           turn,
		Apart:          room.EnterShard,
		Waiting:        pools[slices.IndexFunc(pools, isShards)].places.Waiting,
	})
}

func poolMetrics(pools []pool, left *leftover.Watch) (list []metrics.Pool) {
	for _, p := range pools {
		list = append(list, metrics.Pool{
			Name:     p.name,
			Slots:    p.slots,
			Busy:     p.places.Busy,
			Capped:   p.places.CapsReached,
			Leftover: func() int { return left.Count(p.name) },
		})
	}
	return list
}
