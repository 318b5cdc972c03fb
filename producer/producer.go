// Package producer is the client that other services import: it enqueues jobs and asks how they are doing.
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
	"github.com/stevedore-jobs/stevedore/tasks/seal"
)

// ErrIDReused means that a job ID was given to a job that is not the same.
var ErrIDReused = errors.New("the job ID belongs to another job")

// ErrNoJob means that nothing is known of a job ID.
var ErrNoJob = queue.ErrNoJob

// patience is how long a call tries to reach Redis.
const patience = 5 * time.Second

// Client enqueues jobs and follows them. It may be used by many goroutines at once.
type Client struct {
	options   queue.Options
	redis     redis.UniversalClient
	records   queue.Records
	asynq     *asynq.Client
	inspector *asynq.Inspector
	key       seal.PublicKey
}

// ClientOption changes how a client is made.
type ClientOption func(*Client)

// WithPublicKey gives the client the workers' public key: it then seals the plain secrets of the jobs that it enqueues,
// and refuses them otherwise. seal.ParsePublicKey makes one of what stevedore keygen printed.
func WithPublicKey(k seal.PublicKey) ClientOption { return func(c *Client) { c.key = k } }

// New makes a client. It connects at the first call. The caller closes it.
func New(o queue.Options, options ...ClientOption) *Client {
	r := o.Client()
	c := &Client{
		options: o, redis: r, records: queue.NewRecords(r),
		asynq: asynq.NewClientFromRedisClient(r), inspector: asynq.NewInspectorFromRedisClient(r),
	}
	for _, option := range options {
		option(c)
	}
	return c
}

// Close lets go of the connections.
func (c *Client) Close() error { return c.redis.Close() }

// Option changes how a job is enqueued.
type Option func(*settings)

type settings struct{ id string }

// WithID gives the job an ID of the caller's choice, 1 to 128 letters, digits, dots, dashes and underscores. Enqueuing
// the same job under the same ID again is the same job; without this option every call makes a new one. Two jobs that
// differ in nothing but what a sealed secret holds are the same, and the first one's secret is used.
func WithID(id string) Option { return func(s *settings) { s.id = id } }

// Enqueue validates a job and puts it on the queue. It returns the job's ID.
//
// A payload with faults is a *tasks.InvalidError, an ID that belongs to a different job ErrIDReused, a plain secret without
// a key to seal it to ErrPlainSecret, a sealed one without the ID that it was sealed for ErrSealedNoID; in all these cases
// nothing was enqueued. Any other error means that Redis was not reached: enqueue again, with the same ID if it must not
// happen twice.
func (c *Client) Enqueue(ctx context.Context, j tasks.Job, options ...Option) (id string, err error) {
	s := settings{}
	for _, o := range options {
		o(&s)
	}
	kind, payload, err := c.prepare(j, &s)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := c.enqueue(ctx, kind, s.id, payload); err != nil {
		return "", c.explain(err)
	}
	return s.id, nil
}

// enqueue makes the record first, so that the ID is taken before anything can run under it, and the task second. A crash
// between the two leaves a record without a task, which enqueuing again completes.
func (c *Client) enqueue(ctx context.Context, kind tasks.Kind, id string, payload []byte) error {
	there, err := c.records.Create(ctx, id, kind.Name, payload)
	switch {
	case err != nil:
		return err
	case there.Kind != kind.Name || !kind.Same(there.Payload, payload):
		return fmt.Errorf("%s: %w (a %s job); choose another ID", id, ErrIDReused, there.Kind)
	case there.State.Final():
		return nil
	}
	task := queue.JobTask(kind, queue.JobRef{Job: id}, there.Payload, "") // the record's, if the same job was sealed anew
	_, err = c.asynq.EnqueueContext(ctx, task)
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return c.replaceEnded(ctx, kind, id, task)
	}
	return err
}

// replaceEnded deals with an ID that asynq still knows. Most often it is this very job, waiting or running, or our own
// request sent twice. But asynq keeps archived tasks longer than a record lives, and such a corpse would block the ID.
func (c *Client) replaceEnded(ctx context.Context, kind tasks.Kind, id string, task *asynq.Task) error {
	info, err := c.inspector.GetTaskInfo(kind.Policy.Queue, id)
	if err != nil || info.State != asynq.TaskStateArchived && info.State != asynq.TaskStateCompleted {
		return err
	}
	if err := c.inspector.DeleteTask(kind.Policy.Queue, id); err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
		return err
	}
	if _, err = c.asynq.EnqueueContext(ctx, task); errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// explain adds the address to an error that means Redis was not reached.
func (c *Client) explain(err error) error {
	if err := queue.Wrap(err, "%s", c.options); errors.Is(err, queue.ErrAway) {
		return fmt.Errorf("%w (check STEVEDORE_REDIS_URL)", err)
	}
	return err
}
