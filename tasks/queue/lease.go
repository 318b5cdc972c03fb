package queue

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/lua"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// ClaimRequest says which job a coordinator claims, and what its task
// holds.
type ClaimRequest struct {
	Ref     asynqtask.JobRef
	Kind    string
	Payload []byte
	Queue   string      // that the task came from; empty leaves the record's
	First   tasks.State // that a queued job enters
}

// Lease is a coordinator's right to write to a job's record. It is lost
// to the next Claim of the job, and to Cancel: then its methods return
// ErrFenced. It is safe for concurrent use and may be copied.
type Lease struct {
	ID    string
	Kind  string
	State tasks.State
	// Over means that there is nothing to do: the job has ended, or the
	// task of a later generation has it. The other fields are not set.
	Over    bool
	Started time.Time // when this round of the job began, on any worker, by the server's clock
	Cursor  string    // where planning goes on
	Shards  int       // planned so far
	Round   int       // how often the job was retried
	// PreviousResult is the result of the round before, as JSON. It is
	// nil unless this is a retry.
	PreviousResult []byte
	// Deaths is how many workers died with the job in this state, with
	// nothing planned or committed since.
	Deaths int

	epoch string
	store Store
	// The server's clock at the Claim, and when that was here.
	serverTime, localTime time.Time
}

// Claim gives a job to a coordinator. A job that was enqueued without a
// record, as other languages do, gets one here.
func (s Store) Claim(ctx context.Context, r ClaimRequest) (Lease, error) {
	id := r.Ref.Job
	if err := s.patient.tracked().Track(ctx, id, false); err != nil {
		return Lease{}, err
	}

	v, err := s.patient.claim(ctx, r, false)
	if err == nil && v[0] == "unknown" {
		v, err = s.patient.claim(ctx, r, true)
	}
	if err != nil {
		return Lease{}, redisconn.Wrap(err, "claim job %s", id)
	}
	l := Lease{ID: id, Kind: r.Kind, State: tasks.State(v[0]), store: s}
	if len(v) == 1 {
		l.Over = true
		if l.State.Final() {
			// It was tracked above, and its last event may not be sent.
			return l, s.patient.flush(ctx, id)
		}
		return l, nil
	}

	l.epoch, l.Started, l.Cursor = v[1], schema.Time(v[2]), v[3]
	l.Shards, l.Round = int(schema.Number(v[4])), int(schema.Number(v[5]))
	l.Deaths = int(schema.Number(v[8]))
	if v[6] != "" {
		l.PreviousResult = []byte(v[6])
	}
	l.serverTime, l.localTime = schema.Time(v[7]), time.Now()
	return l, nil
}

// Until returns how long it is until a time of the server's clock. What
// the clock of this process says does not matter.
func (l Lease) Until(t time.Time) time.Duration {
	return t.Sub(l.serverTime) - time.Since(l.localTime)
}

// claim runs the script. The payload goes along only if the record does
// not have it: then the answer without it is "unknown".
func (c conn) claim(ctx context.Context, r ClaimRequest, withPayload bool) ([]string, error) {
	var payload []byte
	if withPayload {
		payload = r.Payload
	}
	return c.run(ctx, lua.Claim, r.Ref.Job, lua.Args{
		"kind":        r.Kind,
		"has_payload": withPayload,
		"payload":     payload,
		"queue":       r.Queue,
		"first_state": string(r.First),
		"generation":  r.Ref.Generation,
		"token":       rand.Text(),
	}).StringSlice()
}

// Epoch returns how many coordinators the job has had.
func (l Lease) Epoch() int64 { return schema.Number(l.epoch) }

// PlannedShard is a shard that was planned.
type PlannedShard struct {
	Index int
	Shard []byte // opaque; kept until the end of the job
	// Input is opaque too, and freed when the shard is done. It is
	// dropped if all inputs would take over a quarter of the budget.
	Input   []byte
	Cursor  string // where planning goes on after it
	Objects int64
}

// Plan adds the next shard of a job. It returns ErrBudget or ErrObjects
// if the job would exceed a limit. It is safe to call twice.
func (l Lease) Plan(ctx context.Context, p PlannedShard) error {
	n, err := l.store.patient.run(ctx, lua.Plan, l.ID, lua.Args{
		"epoch":       l.epoch,
		"index":       p.Index,
		"shard":       p.Shard,
		"input":       p.Input,
		"cursor":      p.Cursor,
		"objects":     p.Objects,
		"max_objects": l.store.limits.Objects,
		"budget":      l.store.limits.Bytes,
	}).Int()
	if err != nil {
		return fenced(err, l.ID)
	}
	return overLimit(n)
}

// Advance moves a job on, for example from planning to running. It is
// safe to call twice.
func (l Lease) Advance(ctx context.Context, from, to tasks.State) error {
	return write(ctx, l, lua.Advance, lua.Args{
		"epoch": l.epoch,
		"from":  string(from),
		"to":    string(to),
	})
}

// Suspend says that asynq brings the job's task back after a pause.
// Until then no reaper takes the job over.
func (l Lease) Suspend(ctx context.Context, pause time.Duration) error {
	return write(ctx, l, lua.Suspend, lua.Args{"epoch": l.epoch, "pause": pause.Milliseconds()})
}

// BeginCareful notes that the job's code is about to run carefully. If
// the worker dies then, TakeOver counts it also from the third death
// on.
func (l Lease) BeginCareful(ctx context.Context) error {
	return write(ctx, l, lua.BeginCareful, lua.Args{"epoch": l.epoch})
}

func write(ctx context.Context, l Lease, s *lua.Script, args lua.Args) error {
	return fenced(l.store.patient.run(ctx, s, l.ID, args).Err(), l.ID)
}

// fenced tells a lost lease from every other error, above all from an
// outage of Redis.
func fenced(err error, id string) error {
	if isAnswer(err, "FENCED") {
		return fmt.Errorf("job %s: %w", id, ErrFenced)
	}
	return redisconn.Wrap(err, "write the record %s", schema.RecordKey(id))
}
