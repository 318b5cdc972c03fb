package worker

import (
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/caps"
	"github.com/stevedore-jobs/stevedore/worker/admission"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/metrics"
	"github.com/stevedore-jobs/stevedore/worker/pickup"
)

// pool is a number of slots for some queues. Coordinators have a pool
// of their own, so that they cannot take the slots that their shards
// need. Verifications have one too, so that users do not wait behind
// bulk work.
type pool struct {
	name   string
	slots  int
	queues map[string]int  // queue -> weight
	places *admission.Pool // nil until assemble sets it
}

const poolShards = "shards"

func newPools(c Config) []pool {
	return []pool{
		newPool("verify", c.VerifySlots, map[string]int{tasks.QueueVerify: 1}),
		newPool("jobs", c.JobSlots, byPriority(map[string]int{tasks.QueueJobs: 1})),
		newPool(poolShards, c.ShardSlots, shardQueues()),
	}
}

// shardQueues returns the queues of shards and exports, by weight.
func shardQueues() map[string]int {
	return byPriority(map[string]int{tasks.QueueShards: 3, tasks.QueueExports: 1})
}

func newPool(name string, slots int, queues map[string]int) pool {
	return pool{name: name, slots: slots, queues: queues}
}

// openPlaces gives each pool its places. Each pool has caps of its own:
// coordinators must not take the places that their shards need.
func openPlaces(c Config, kinds map[string]job.Kind, all caps.Caps, pools []pool) {
	for i, p := range pools {
		config := admission.Config{
			Name:      p.name,
			Slots:     p.slots,
			Caps:      all,
			Kinds:     kinds,
			PerTenant: c.TenantShards,
		}
		if p.name == poolShards {
			config.PerBucket = c.BucketShards
		}
		pools[i].places = admission.New(config)
	}
}

// started writes the line that says what a worker is.
func started(log *slog.Logger, pools []pool, redis string) {
	slots, queues := []any{}, []string{}
	for _, p := range pools {
		slots = append(slots, p.name, p.slots)
		queues = slices.AppendSeq(queues, maps.Keys(p.queues))
	}
	slices.Sort(queues)
	log.Info("worker started", "version", metrics.Version(), slog.Group("slots", slots...),
		"queues", queues, "redis", redis)
}

// byPriority splits each queue into the queues of its priorities,
// weighted 6 to 3 to 1.
func byPriority(queues map[string]int) map[string]int {
	weights := map[tasks.Priority]int{
		tasks.PriorityHigh:   6,
		tasks.PriorityNormal: 3,
		tasks.PriorityLow:    1,
	}
	all := map[string]int{}
	for base, weight := range queues {
		for p, n := range weights {
			all[p.Queue(base)] = n * weight
		}
	}
	return all
}

// server is the asynq server of a pool, and what waits for its tasks.
type server struct {
	*asynq.Server
	conn *pickup.Conn
}

func (w *Worker) newServer(p pool) *server {
	log := w.log.With("pool", p.name)
	conn := pickup.New(w.config.Redis, p.queues, p.places, log)
	config := asynqConfig(p, w.config.DrainTimeout, w.outage.AsynqLog(p.name))
	return &server{asynq.NewServer(conn, config), conn}
}

// Stop takes no new tasks. Those that run go on.
func (s *server) Stop() {
	s.conn.Stop()
	s.Server.Stop()
}

func asynqConfig(p pool, drainTimeout time.Duration, log asynq.Logger) asynq.Config {
	return asynq.Config{
		Concurrency:       p.slots + asynqtask.GuestPlaces,
		Queues:            p.queues,
		TaskCheckInterval: pickup.CheckInterval,
		// A task that was handed over waits until some worker looks for
		// delayed tasks.
		DelayedTaskCheckInterval: time.Second,
		ShutdownTimeout:          shutdownTimeout(drainTimeout),
		JanitorInterval:          30 * time.Second,
		IsFailure:                isFailure,
		RetryDelayFunc:           retryDelay,
		Logger:                   log,
		LogLevel:                 asynq.WarnLevel,
	}
}
