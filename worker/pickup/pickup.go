// Package pickup tells asynq's servers when a queue has tasks.
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
// The package knows the keys of asynq's queues, and no jobs.
package pickup

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// CheckInterval is the TaskCheckInterval for servers that use a Conn.
// It costs nothing, since most questions never reach Redis.
const CheckInterval = 10 * time.Millisecond

// Conn is how the asynq server of one pool reaches Redis. It implements
// asynq.RedisConnOpt. Make it with New. It is for one server, and safe
// for concurrent use.
type Conn struct {
	redis   redisconn.Options
	queues  []string
	log     *slog.Logger
	gate    *gate
	connect func() redis.UniversalClient
	end     context.CancelFunc // makes calls of the server end soon
}

// New returns a Conn for a server of some queues. It does not touch
// Redis. Watch must run while the server runs.
func New(o redisconn.Options, queues []string, log *slog.Logger) *Conn {
	running, end := context.WithCancel(context.Background())
	return &Conn{
		redis:   o,
		queues:  queues,
		log:     log,
		gate:    newGate(queues),
		connect: func() redis.UniversalClient { return o.ServerClient(running) },
		end:     end,
	}
}

// MakeRedisClient implements asynq.RedisConnOpt.
func (c *Conn) MakeRedisClient() any {
	client := c.connect()
	client.AddHook(hook{c.gate})
	return client
}

// Stop makes every further question for a task be answered with "none",
// also one that waits now. From then on, calls of the server but its
// acknowledgements are not repeated long. It may be called twice. Call
// it before the server's Stop, which waits for such an answer.
func (c *Conn) Stop() {
	c.gate.stop()
	c.end()
}
