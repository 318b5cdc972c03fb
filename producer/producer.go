// Package producer is the client that other services import. It
// enqueues jobs, reads how they are doing, waits for them,
// cancels them and retries what failed. Package events reads what
// happens to all jobs.
//
// The package knows Redis and the contract. It imports no cloud,
// image or metrics code.
package producer

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/producer/events"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

// ErrNoJob means that there is no job with an ID.
var ErrNoJob = queue.ErrNoJob

// callTimeout is how long a call tries to reach Redis.
const callTimeout = 5 * time.Second

// Client enqueues jobs and follows them. It is safe for
// concurrent use.
type Client struct {
	options redisconn.Options
	redis   redis.UniversalClient
	jobs    jobs
	limit   int // bytes of a payload; 0 means payloadsize.Max
	key     seal.PublicKey
	reader  *events.Reader
	wakeups *events.Wakeups
}

// jobs reads and writes the jobs in Redis.
type jobs struct {
	store queue.Store
	tasks asynqtask.Client
	kinds tasks.Table
}

// ClientOption changes how a client is made.
type ClientOption func(*Client)

// WithPublicKey gives the client the public key of the workers.
// It then seals the plain secrets of the jobs that it enqueues.
// Without the key it refuses them. seal.ParsePublicKey reads what
// stevedore keygen printed.
func WithPublicKey(k seal.PublicKey) ClientOption { return func(c *Client) { c.key = k } }

// WithPayloadLimit changes how many bytes a payload may have.
// Without it that is payloadsize.Max. The workers have a limit of
// their own.
func WithPayloadLimit(bytes int) ClientOption { return func(c *Client) { c.limit = bytes } }

// WithKinds adds kinds of job to the built-in ones. The workers
// must know them, too.
func WithKinds(kinds ...tasks.Kind) ClientOption {
	return func(c *Client) { c.jobs.kinds = append(c.jobs.kinds, kinds...) }
}

// WithOutage has the client say what it waits for while Redis is away.
// When Wait, or an iteration over events, finds that Redis does not
// answer, it calls gone with the error. When Redis answers again it
// calls back with the time between. Both may be called on any
// goroutine, and must return soon.
func WithOutage(gone func(error), back func(away time.Duration)) ClientOption {
	return func(c *Client) { c.reader.Outage = &redisconn.Outage{Gone: gone, Back: back} }
}

// New returns a client. It connects at the first call. The caller
// closes it.
//
// The first client of a process silences the logger of go-redis, which
// would write to standard error while Redis is away. Every call returns
// its error instead.
func New(o redisconn.Options, options ...ClientOption) *Client {
	r, reader := o.Client(), events.NewReader(o)
	c := &Client{
		options: o,
		redis:   r,
		jobs:    jobs{queue.NewStore(r), asynqtask.NewClient(r, r), tasks.Kinds()},
		reader:  reader,
		wakeups: reader.Wakeups(),
	}
	for _, option := range options {
		option(c)
	}
	return c
}

// Close closes the connections. Waits and iterations that still
// run end with an error.
func (c *Client) Close() error { return errors.Join(c.reader.Close(), c.redis.Close()) }

// Events yields what happens to all jobs, in order, from a
// position on: events.Oldest, events.New, the Position of an
// event, or a Unix time in milliseconds. It goes on until ctx
// ends or the caller breaks. See events.Reader.Events for its
// errors.
func (c *Client) Events(
	ctx context.Context, after string, options ...events.Option,
) iter.Seq2[events.Event, error] {
	return c.reader.Events(ctx, after, options...)
}

// Group names a consumer of a group that shares the events. It
// sends nothing.
func (c *Client) Group(name, consumer string) events.Group {
	return c.reader.Group(c.redis, name, consumer)
}
