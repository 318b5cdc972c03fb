package queue

import (
	"context"
	"iter"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Store reads and writes the records of jobs. It is safe for concurrent use
// and may be copied.
type Store struct {
	patient Records // for what must not be lost
	prompt  Records // for what a later call makes up for
}

// NewStore uses one client for everything. The caller goes on owning it.
func NewStore(c redis.UniversalClient) Store {
	r := NewRecords(c)
	return Store{r, r}
}

// WithPrompt returns a Store that sends heartbeats, events, caps and the
// calls of its Reaper through c, a client that gives up soon. Everything that
// must not be lost goes through the first client.
func (s Store) WithPrompt(c redis.UniversalClient) Store {
	s.prompt.client = c
	return s
}

// NewJob is a job that is about to be enqueued.
type NewJob struct {
	ID      string
	Kind    string
	Payload []byte
	Queue   string // that its task will be on
}

// CreateResult is the record that a job has after Create.
type CreateResult struct {
	Kind       string
	Payload    []byte
	State      tasks.State
	Generation int    // of the task that carries the job
	Queue      string // of that task; empty if an older version made the record
}

// Create makes the record of a job, or returns the one there is. It is safe
// to call twice.
func (s Store) Create(ctx context.Context, j NewJob) (CreateResult, error) {
	return s.patient.create(ctx, j)
}

// Status reads what is known of a job. It is ErrNoJob when there is no
// record.
func (s Store) Status(ctx context.Context, id string) (tasks.Status, error) {
	return s.patient.Status(ctx, id)
}

// Errors streams a job's error list, in the order of its shards. It is empty
// when nothing failed or the record has expired. The first error ends it.
func (s Store) Errors(ctx context.Context, id string) iter.Seq2[tasks.ObjectError, error] {
	return s.patient.Errors(ctx, id)
}

// CancelResult says which job was cancelled.
type CancelResult struct {
	State      tasks.State // that the job had before
	Queue      string      // that its task is on
	Generation int         // of that task
}

// Cancel ends a job at once, whoever runs it: its coordinator and its shards
// learn of it at their next heartbeat. A job that has ended stays as it is.
// keep is how long the record stays.
func (s Store) Cancel(ctx context.Context, id string, keep time.Duration) (CancelResult, error) {
	had, err := s.patient.Cancel(ctx, id, keep)
	if err != nil {
		return CancelResult{}, err
	}
	p, err := s.patient.Pulse(ctx, id)
	return CancelResult{State: had, Queue: p.Queue, Generation: p.Generation}, err
}

// RetryTask is what is needed to enqueue the task of a retry.
type RetryTask struct {
	Kind       string
	Payload    []byte
	Queue      string
	Generation int
}

// BeginRetry begins a succeeded job again, for the objects of its error list
// alone. round is one more than the job's Status tells. It is safe to call
// twice.
func (s Store) BeginRetry(ctx context.Context, id string, round int) (RetryTask, error) {
	g, err := s.patient.Reopen(ctx, id, round)
	if err != nil {
		return RetryTask{}, err
	}
	p, err := s.patient.Pulse(ctx, id)
	return RetryTask{Kind: p.Kind, Payload: p.Payload, Queue: p.Queue, Generation: g}, err
}

// Emit puts an event into the stream.
func (s Store) Emit(ctx context.Context, e tasks.Event) error { return s.prompt.Emit(ctx, e) }
