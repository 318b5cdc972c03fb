package queue

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// ShardLease is one run of a shard, and what it starts from.
type ShardLease struct {
	Ref     ShardRef
	Wanted  bool   // false when the shard is done already, or the job has ended: there is nothing to do
	Payload []byte // of the job
	Shard   []byte // as it was planned
	Resume  string // the last key that is committed; empty at first
	Crashes int    // of workers at this shard, since the last checkpoint
	Suspect string // key of the object that the last careful run was at; empty if there was none
	Strikes int    // how often a worker died at that object
	run     string // names this run in Redis
	store   Store
}

// StartShard begins a run of a shard, with its first heartbeat.
func (s Store) StartShard(ctx context.Context, ref ShardRef) (ShardLease, error) {
	a, err := s.patient.Start(ctx, ref)
	return ShardLease{
		Ref: ref, Wanted: a.Wanted, Payload: a.Payload, Shard: a.Shard, Resume: a.Resume,
		Crashes: a.Crashes, Suspect: a.At, Strikes: a.Strikes, run: rand.Text(), store: s,
	}, err
}

// Checkpoint is what a run has done of a shard since the last one.
type Checkpoint struct {
	From, To string // keys: it goes on after From and ends with To, which only a last one may leave as it was
	Last     bool   // the shard is done with it
	Data     []byte // opaque; compressed here
	Objects  int64
	Bytes    int64
	Errors   []tasks.ObjectError
	Tally    map[string]int64
	Budget   int64 // how many bytes the parts of the whole job may take in Redis, compressed
}

// Commit saves a checkpoint and reports whether it counted: the first one
// that goes on where the shard stands does, any other does not, nor does one
// for a job that has ended. It is ErrBudget if the parts grow too large. It
// is safe to call twice.
func (l ShardLease) Commit(ctx context.Context, c Checkpoint) (bool, error) {
	return l.store.patient.Commit(ctx, l.Ref, Piece{
		From: c.From, To: c.To, Run: l.run, Last: c.Last, Data: c.Data, Objects: c.Objects, Bytes: c.Bytes,
		Errors: c.Errors, Tally: c.Tally, Budget: c.Budget,
	})
}

// MarkSuspect notes which object a careful run is about to touch. If its
// worker dies, the next run knows at which object.
func (l ShardLease) MarkSuspect(ctx context.Context, key string) error {
	return l.store.patient.At(ctx, l.Ref, key)
}

// Suspend says that the run has ended before the shard was done, and that
// asynq brings its task back after a pause.
func (l ShardLease) Suspend(ctx context.Context, pause time.Duration) error {
	return l.store.patient.Leave(ctx, l.Ref, pause)
}

// Fail notes why the shard can never be done. The coordinator then ends the
// job with that failure. The first note stays.
func (l ShardLease) Fail(ctx context.Context, f tasks.Failure) error {
	return l.store.patient.Fail(ctx, l.Ref.Job, f)
}

// HeartbeatShards says that this process works on shards of a job, and how
// far each is since its last checkpoint. When wanted is false, every run of
// the job must stop.
func (s Store) HeartbeatShards(ctx context.Context, job string, runs map[int]tasks.Progress) (wanted bool, err error) {
	return s.prompt.Beat(ctx, job, runs)
}
