package queue

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/caps"
	"github.com/stevedore-jobs/stevedore/tasks/queue/frames"
	"github.com/stevedore-jobs/stevedore/tasks/queue/lua"
	"github.com/stevedore-jobs/stevedore/tasks/queue/payloads"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

var (
	// ErrNoJob means that Redis has no record of a job: it was never
	// enqueued, or its record has expired.
	ErrNoJob = errors.New("no such job: it was never enqueued, or its record has expired")
	// ErrFenced means that a lease is lost: another coordinator has the
	// job, or the job has ended. The caller must stop at once.
	ErrFenced = errors.New("another worker has this job, or it has ended, perhaps by a cancel")
)

// unclaimedTTL is how long a record stays that no worker ever claims,
// from the time on when its task may begin. Until then nobody else can
// get the ID of the job.
const unclaimedTTL = 30 * 24 * time.Hour

// maxPayloads is how many bytes of payloads a Store remembers.
const maxPayloads = 64 << 20

// Store reads and writes the records of jobs. It is safe for concurrent
// use and may be copied.
type Store struct {
	patient conn // for what must not be lost
	prompt  conn // for what a later call makes up for
	codec   frames.Codec
	limits  Limits
	// payloads are those of the jobs whose shards run in this process.
	payloads *payloads.Cache
}

// NewStore uses one client for everything. The caller closes the
// client.
func NewStore(c redis.UniversalClient) Store {
	return Store{
		patient: conn{c}, prompt: conn{c},
		codec: frames.New(), payloads: payloads.New(maxPayloads),
	}
}

// WithPrompt returns a Store that uses c, a client that gives up soon,
// for heartbeats, events and caps, and for its Reaper. It uses the
// client of NewStore for everything that must not be lost.
func (s Store) WithPrompt(c redis.UniversalClient) Store {
	s.prompt = conn{c}
	return s
}

// Caps returns the limits that all workers share.
func (s Store) Caps() caps.Caps { return caps.New(s.prompt.client) }

// NewJob is a job that is about to be enqueued.
type NewJob struct {
	ID      string
	Kind    string
	Payload []byte
	Queue   string        // that its task will be on
	Wait    time.Duration // before its task may begin
}

// CreateResult is the record that a job has after Create.
type CreateResult struct {
	Kind       string
	Payload    []byte
	State      tasks.State
	Generation int           // of the task that carries the job
	Queue      string        // of that task; empty if an older version made the record
	Wait       time.Duration // before that task may begin; 0 if it may now
}

// Create makes the record of a job that is about to be enqueued, or
// returns the one that exists. It is safe to call twice.
func (s Store) Create(ctx context.Context, j NewJob) (CreateResult, error) {
	// A reaper removes a tracked job that has no record. The other way
	// round, a crash between the two would leave a job that nobody
	// tracks.
	if err := s.patient.tracked().Track(ctx, j.ID, true); err != nil {
		return CreateResult{}, err
	}

	v, err := s.patient.run(ctx, lua.Create, j.ID, lua.Args{
		"kind":    j.Kind,
		"payload": j.Payload,
		"queue":   j.Queue,
		"ttl":     (j.Wait + unclaimedTTL).Milliseconds(),
		"wait":    j.Wait.Milliseconds(),
	}).StringSlice()
	if err != nil {
		return CreateResult{}, redisconn.Wrap(err, "create the record of job %s", j.ID)
	}
	return CreateResult{
		Kind:       v[0],
		Payload:    []byte(v[1]),
		State:      tasks.State(v[2]),
		Generation: int(schema.Number(v[3])),
		Queue:      v[4],
		Wait:       time.Duration(schema.Number(v[5])) * time.Millisecond,
	}, nil
}
