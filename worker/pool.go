package worker

import (
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
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
		newPool("shards", c.ShardSlots, byPriority(map[string]int{
			tasks.QueueShards:  3,
			tasks.QueueExports: 1,
		})),
	}
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

func (w *Worker) asynqConfig(p pool) asynq.Config {
	return asynq.Config{
		Concurrency: p.slots,
		Queues:      p.queues,
		// asynq can only poll. It pauses half of this to one and a half
		// times this after it found nothing.
		TaskCheckInterval: 80 * time.Millisecond,
		// A task that was handed over waits until some worker looks for
		// delayed tasks.
		DelayedTaskCheckInterval: time.Second,
		ShutdownTimeout:          shutdownTimeout(w.config.DrainTimeout),
		JanitorInterval:          30 * time.Second,
		IsFailure:                isFailure,
		RetryDelayFunc:           retryDelay,
		Logger:                   asynqLog{w.log.With("pool", p.name), w.health.redisAway},
		LogLevel:                 asynq.WarnLevel,
	}
}
