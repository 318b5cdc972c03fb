package producer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/payloadsize"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

var (
	// ErrIDReused means that the ID of a job belongs to a
	// different job.
	ErrIDReused = errors.New("the job ID belongs to another job")
	// ErrPlainSecret means that a job holds a secret as a plain
	// value, and the client has no key to seal it with.
	ErrPlainSecret = errors.New("the job holds a plain secret, and this client cannot seal it: " +
		"make the client with WithPublicKey, or give env:NAME or file:/path")
	// ErrSealedNoID means that a job holds a secret that was
	// sealed before, for one job ID. Under a new ID it would not
	// open.
	ErrSealedNoID = errors.New("the job holds a secret that was sealed for one job ID: " +
		"enqueue it under that ID")
)

// EndedError means that a job has ended that is enqueued again
// under its ID. Nothing was enqueued, and nothing runs: Retry runs
// a job again.
type EndedError struct {
	ID    string
	State tasks.State // how it ended
}

// Error says how the job ended, and what to do.
func (e *EndedError) Error() string {
	return fmt.Sprintf("job %s had ended before: it is %s, and nothing was enqueued; "+
		"retry it, or choose another ID", e.ID, e.State)
}

// NewID makes the ID of a new job, for a caller who must know it
// before the job is enqueued. Enqueue makes one itself if none is
// given.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// Enqueue validates a job and puts it on the queue. It returns
// the job's ID. If the job was enqueued before under this ID and
// has ended, it returns the ID and an *EndedError.
//
// These errors mean that nothing was enqueued:
// *tasks.InvalidError for a payload with faults,
// *payloadsize.Error for one that is too large, ErrIDReused for
// an ID that belongs to a different job, ErrPlainSecret for a
// plain secret without a key to seal it with, and ErrSealedNoID
// for a sealed secret without the ID that it was sealed for. Any
// other error means that Redis was not reached. Then call again,
// with the same ID if the job must not run twice.
func (c *Client) Enqueue(
	ctx context.Context, j tasks.Job, options ...Option,
) (id string, err error) {
	s := settingsOf(options)
	job, kind, err := c.prepare(j, s)
	if err != nil {
		return "", err
	}

	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err = c.jobs.send(ctx, job, kind)
	switch {
	case err == nil, errors.As(err, new(*EndedError)):
		return job.ID, err
	}
	return "", c.options.Explain(err)
}

// prepare does everything that needs no Redis: it checks the job,
// chooses its ID and its queue, seals its secrets and encodes it.
func (c *Client) prepare(j tasks.Job, s settings) (queue.NewJob, tasks.Kind, error) {
	var none queue.NewJob
	j = s.apply(j)
	if err := j.Validate(); err != nil {
		return none, tasks.Kind{}, err
	}
	kind, err := c.jobs.kinds.Lookup(j.Kind())
	if err != nil {
		return none, kind, err
	}
	id := cmp.Or(s.id, NewID())
	if err := asynqtask.CheckID(id); err != nil {
		return none, kind, err
	}

	_, err = tasks.MapSecrets(j, func(secret tasks.Secret) (tasks.Secret, error) {
		switch {
		case secret.Sealed() != "" && s.id == "":
			return secret, ErrSealedNoID
		case secret.IsPlain() && c.key.IsZero():
			return secret, ErrPlainSecret
		}
		return secret, nil
	})
	if err != nil {
		return none, kind, err
	}
	sealed, err := tasks.SealSecrets(j, id, c.key)
	if err != nil {
		return none, kind, err
	}
	payload, err := json.Marshal(sealed)
	if err == nil {
		err = payloadsize.Check(len(payload), c.limit)
	}
	return queue.NewJob{
		ID:      id,
		Kind:    kind.Name,
		Payload: payload,
		Queue:   j.JobTerms().Priority.Queue(kind.Policy.Queue),
		Wait:    max(s.delay, 0),
	}, kind, err
}

// send makes the record first, so that the ID is taken before
// anything can run under it, and the task second. A crash between
// the two leaves a record without a task. Enqueuing again adds
// the task; otherwise a worker does.
func (j jobs) send(
	ctx context.Context, job queue.NewJob, kind tasks.Kind,
) error {
	r, err := j.store.Create(ctx, job)
	switch {
	case err != nil:
		return err
	case r.Kind != kind.Name || !kind.Same(r.Payload, job.Payload):
		return fmt.Errorf("%s: %w (a %s job); choose another ID", job.ID, ErrIDReused, r.Kind)
	case r.State.Final():
		return &EndedError{job.ID, r.State}
	}

	// The payload is the record's: secrets that were sealed again
	// have another text.
	return j.tasks.EnqueueJob(ctx, asynqtask.Job{
		Kind:    kind,
		Ref:     asynqtask.JobRef{Job: job.ID, Generation: r.Generation},
		Queue:   cmp.Or(r.Queue, job.Queue),
		Payload: r.Payload,
		Wait:    r.Wait,
	})
}
