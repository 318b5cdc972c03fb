// Package producer is the client that other services import: it enqueues
// jobs, asks how they are doing, cancels them and tries again what failed,
// and hears what happens to all of them.
//
// It knows Redis and the contract, and no cloud, image or metrics code.
package producer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

// ErrIDReused means that a job ID was given to a job that is not the same.
var ErrIDReused = errors.New("the job ID belongs to another job")

// ErrNoJob means that nothing is known of a job ID.
var ErrNoJob = queue.ErrNoJob

// patience is how long a call tries to reach Redis.
const patience = 5 * time.Second

// Client enqueues jobs and follows them. It may be used by many goroutines at
// once.
type Client struct {
	options   redisconn.Options
	redis     redis.UniversalClient
	records   queue.Records
	asynq     *asynq.Client
	inspector *asynq.Inspector
	key       seal.PublicKey
	kinds     tasks.Table
	lines     *lines
	watch     *watch
}

// ClientOption changes how a client is made.
type ClientOption func(*Client)

// WithPublicKey gives the client the workers' public key: it then seals the
// plain secrets of the jobs that it enqueues, and refuses them otherwise.
// seal.ParsePublicKey makes one of what stevedore keygen printed.
func WithPublicKey(k seal.PublicKey) ClientOption { return func(c *Client) { c.key = k } }

// WithKinds adds kinds of job that are not built in, so that the client can
// enqueue their jobs and decode their results.
func WithKinds(kinds ...tasks.Kind) ClientOption {
	return func(c *Client) { c.kinds = append(c.kinds, kinds...) }
}

// New makes a client. It connects at the first call. The caller closes it.
func New(o redisconn.Options, options ...ClientOption) *Client {
	r := o.Client()
	l := &lines{options: o}
	c := &Client{
		options: o, redis: r, records: queue.NewRecords(r),
		asynq: asynq.NewClientFromRedisClient(r), inspector: asynq.NewInspectorFromRedisClient(r),
		lines: l, watch: &watch{lines: l}, kinds: tasks.Kinds(),
	}
	for _, option := range options {
		option(c)
	}
	return c
}

// Close lets go of the connections. Waits and iterations that are under way
// end with an error.
func (c *Client) Close() error { return errors.Join(c.lines.close(), c.redis.Close()) }

// Enqueue validates a job and puts it on the queue. It returns the job's ID.
//
// A payload with faults is a *tasks.InvalidError, an ID that belongs to a
// different job ErrIDReused, a plain secret without a key to seal it to
// ErrPlainSecret, a sealed one without the ID that it was sealed for
// ErrSealedNoID; in all these cases nothing was enqueued. Any other error
// means that Redis was not reached: enqueue again, with the same ID if it
// must not happen twice.
func (c *Client) Enqueue(ctx context.Context, j tasks.Job, options ...Option) (id string, err error) {
	s := settingsOf(options)
	kind, payload, err := c.prepare(j, &s)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := c.enqueue(ctx, kind, payload, s); err != nil {
		return "", c.explain(err)
	}
	return s.id, nil
}

// explain adds the address to an error that means Redis was not reached.
func (c *Client) explain(err error) error {
	if err := redisconn.Wrap(err, "%s", c.options); errors.Is(err, redisconn.ErrUnavailable) {
		return fmt.Errorf("%w (check STEVEDORE_REDIS_URL)", err)
	}
	return err
}
