// Package pickup gives asynq's servers their tasks, as soon as a queue
// has one that the server's pool wants.
//
// asynq only polls: it asks Redis for tasks again and again, and each
// question about a queue is three commands. Here one command for each
// queue waits in Redis until the queue has a task. Until then the
// server's questions are answered in this process.
//
// The waiting command is BLMOVE from the end of the queue to the same
// end, which changes nothing. So nobody has to send a wake-up: it does
// not matter which program put the task there, or how. It may have been
// enqueued, handed over, or scheduled for this time.
//
// No task depends on that command alone. Each queue is also polled, and
// more often while the command fails.
//
// asynq would take the oldest task. Here the pool of the server decides
// which task it takes: see Pool.
//
// The package knows the keys of asynq's queues, and no jobs.
package pickup

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/turns"
)

// CheckInterval is the TaskCheckInterval for servers that use a Conn.
// It costs nothing, since most questions never reach Redis.
const CheckInterval = 10 * time.Millisecond

// Pool says which tasks a server may run. It is used by one goroutine
// at a time.
type Pool interface {
	// Take takes a task off a queue. The state is Held if there is one,
	// but the pool must not run it now.
	Take(ctx context.Context, q *turns.Queues, queue string) (turns.Task, turns.State, error)
	// Freed returns a channel that has an element after the pool may
	// run a task that it had to refuse before.
	Freed() <-chan struct{}
}

// Conn is how the asynq server of one pool reaches Redis. It implements
// asynq.RedisConnOpt. Make it with New. It is for one server, and safe
// for concurrent use.
type Conn struct {
	redis   redisconn.Options
	pool    Pool
	log     *slog.Logger
	gate    *gate
	connect func() redis.UniversalClient
	end     context.CancelFunc // makes calls of the server end soon
}

// New returns a Conn for a server of some queues with their weights. It
// does not touch Redis. Watch must run while the server runs.
func New(o redisconn.Options, queues map[string]int, p Pool, log *slog.Logger) *Conn {
	running, end := context.WithCancel(context.Background())
	return &Conn{
		redis:   o,
		pool:    p,
		log:     log,
		gate:    newGate(queues, p.Freed()),
		connect: func() redis.UniversalClient { return o.ServerClient(running) },
		end:     end,
	}
}

// MakeRedisClient implements asynq.RedisConnOpt.
func (c *Conn) MakeRedisClient() any {
	client := c.connect()
	queues := turns.New(client)
	client.AddHook(hook{
		isOurs: func(queue string) bool { return c.gate.queues[queue] != nil },
		next:   func(ctx context.Context) (string, error) { return c.next(ctx, queues) },
	})
	return client
}

// next waits for a task and returns its message. After some seconds it
// returns redis.Nil, because asynq has noted when it asked, and counts
// the lease of the task from then on.
func (c *Conn) next(ctx context.Context, queues *turns.Queues) (message string, err error) {
	until := time.Now().Add(pollWatched)
	for {
		name, ok := c.gate.await(until)
		if !ok {
			return "", redis.Nil
		}
		task, state, err := c.pool.Take(ctx, queues, name)
		c.gate.answered(name, state, err)
		if err != nil || state == turns.Found {
			return task.Message, err
		}
	}
}

func sortedNames(queues map[string]int) []string { return slices.Sorted(maps.Keys(queues)) }

// Stop makes every further question for a task be answered with "none",
// also one that waits now. From then on, calls of the server but its
// acknowledgements are not repeated long. It may be called twice. Call
// it before the server's Stop, which waits for such an answer.
func (c *Conn) Stop() {
	c.gate.stop()
	c.end()
}
