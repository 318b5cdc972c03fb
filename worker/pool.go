package worker

import (
	"maps"
	"slices"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/pickup"
)

// pool is a number of slots for some queues. Coordinators have a pool
// of their own, so that they cannot take the slots that their shards
// need. Verifications have one too, so that users do not wait behind
// bulk work.
type pool struct {
	name   string
	slots  int
	queues map[string]int // queue -> weight
	busy   chan struct{}  // one element for each slot that is really busy
}

func newPools(c Config) []pool {
	return []pool{
		newPool("verify", c.VerifySlots, map[string]int{tasks.QueueVerify: 1}),
		newPool("jobs", c.JobSlots, byPriority(map[string]int{tasks.QueueJobs: 1})),
		newPool("shards", c.ShardSlots, shardQueues()),
	}
}

// shardQueues returns the queues of shards and exports, by weight.
func shardQueues() map[string]int {
	return byPriority(map[string]int{tasks.QueueShards: 3, tasks.QueueExports: 1})
}

func newPool(name string, slots int, queues map[string]int) pool {
	return pool{name, slots, queues, make(chan struct{}, max(slots, 0))}
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
	conn := pickup.New(w.config.Redis, slices.Sorted(maps.Keys(p.queues)), log)
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
		Concurrency:       p.slots,
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
