package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// pool is a number of slots for some queues. A pool of its own for
// coordinators keeps them from taking the slots that their own shards need;
// one for verifications keeps people from waiting behind bulk work.
type pool struct {
	name   string
	slots  int
	queues map[string]int // queue -> weight
	sem    chan struct{}  // the slots that are really busy, see attempt
}

func pools(c Config) []pool {
	return []pool{
		newPool("verify", c.VerifySlots, map[string]int{tasks.QueueVerify: 1}),
		newPool("jobs", c.JobSlots, byPriority(map[string]int{tasks.QueueJobs: 1})),
		newPool("shards", c.ShardSlots, byPriority(map[string]int{tasks.QueueShards: 3, tasks.QueueExports: 1})),
	}
}

// byPriority splits each queue into those of its priorities, 6 to 3 to 1.
func byPriority(queues map[string]int) map[string]int {
	all := map[string]int{}
	for base, weight := range queues {
		for p, n := range map[tasks.Priority]int{tasks.PriorityHigh: 6, tasks.PriorityNormal: 3, tasks.PriorityLow: 1} {
			all[p.Queue(base)] = n * weight
		}
	}
	return all
}

func newPool(name string, slots int, queues map[string]int) pool {
	return pool{name, slots, queues, make(chan struct{}, slots)}
}

func (p pool) handler(w *Worker) func(context.Context, *asynq.Task) error {
	return func(ctx context.Context, t *asynq.Task) error { return w.attempt(ctx, p, t) }
}

func (w *Worker) asynqConfig(p pool) asynq.Config {
	return asynq.Config{
		Concurrency: p.slots,
		Queues:      p.queues,
		// asynq can only poll, from half of this to one and a half times this
		// after it found nothing.
		TaskCheckInterval: 80 * time.Millisecond,
		// Handed-over tasks wait in the retry set until some worker looks
		// there.
		DelayedTaskCheckInterval: time.Second,
		ShutdownTimeout:          w.config.DrainTimeout,
		JanitorInterval:          30 * time.Second,
		IsFailure:                isFailure,
		RetryDelayFunc:           retryDelay,
		Logger:                   asynqLog{w.log.With("pool", p.name)},
		LogLevel:                 asynq.WarnLevel,
	}
}

// isFailure tells asynq which errors use up one of its tries.
func isFailure(err error) bool {
	var later *laterError
	return !errors.As(err, &later) || later.failed
}

// retryDelay is how long a task waits for its next run: what the outcome
// says, else an exponential back-off with full jitter from 1 second to 2
// minutes. A task whose worker died has waited long enough already, and one
// that asynq was asked to cancel only has to find out that its job has ended.
func retryDelay(n int, err error, _ *asynq.Task) time.Duration {
	var later *laterError
	switch {
	case errors.As(err, &later):
		return later.after
	case errors.Is(err, asynq.ErrLeaseExpired), errors.Is(err, context.Canceled):
		return 0
	}
	return backOff(n)
}

func backOff(n int) time.Duration {
	limit := min(time.Second<<min(n+1, 10), 2*time.Minute)
	return time.Second + rand.N(limit)
}

// asynqLog writes asynq's own messages to slog. Its Fatal must not end the
// process.
type asynqLog struct{ log *slog.Logger }

func (l asynqLog) Debug(args ...any) { l.log.Debug("asynq: " + fmt.Sprint(args...)) }
func (l asynqLog) Info(args ...any)  { l.log.Debug("asynq: " + fmt.Sprint(args...)) }
func (l asynqLog) Warn(args ...any)  { l.log.Debug("asynq: " + fmt.Sprint(args...)) }
func (l asynqLog) Error(args ...any) { l.log.Warn("asynq: " + fmt.Sprint(args...)) }
func (l asynqLog) Fatal(args ...any) { l.log.Error("asynq: " + fmt.Sprint(args...)) }
