package queue

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/frames"
	"github.com/stevedore-jobs/stevedore/tasks/queue/lua"
	"github.com/stevedore-jobs/stevedore/tasks/queue/payloads"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// ShardLease is one run of a shard, and what it starts from. It is safe
// for concurrent use and may be copied: copies are the same run.
type ShardLease struct {
	Ref asynqtask.ShardRef
	// Wanted is false if the shard is done already, or the job has
	// ended. Then there is nothing to do, and the other fields are not
	// set.
	Wanted  bool
	Payload []byte // of the job; nobody may change it
	Shard   []byte // as it was planned
	Input   []byte // as it was planned; empty if it had none, or there was no room for it
	Resume  string // the last key that is committed; empty at first
	Crashes int    // of workers at this shard, since the last checkpoint
	Suspect string // key of the object that the last careful run was at, or ""
	Strikes int    // how often a worker died at that object
	Round   int    // of the job; the run can write in no other

	run   string // token of this run
	store Store
}

// StartShard begins a run of a shard, with its first heartbeat. Of many
// shards of a job, few read the payload from Redis: the Store remembers
// it.
func (s Store) StartShard(ctx context.Context, ref asynqtask.ShardRef) (ShardLease, error) {
	known := s.payloads.Get(ref.Job)
	v, err := s.patient.run(ctx, lua.StartShard, ref.Job, lua.Args{
		"index":      ref.Shard,
		"generation": ref.Generation,
		"known":      known.Version,
	}).StringSlice()
	l := ShardLease{Ref: ref, run: rand.Text(), store: s}
	if err != nil || len(v) == 0 {
		return l, redisconn.Wrap(err, "start %s", ref)
	}
	l.Wanted = true
	if v[7] == "" || v[7] != known.Version {
		known = payloads.Payload{Version: v[7], Text: []byte(v[0])}
		s.payloads.Put(ref.Job, known)
	}
	l.Payload, l.Shard, l.Resume = known.Text, []byte(v[1]), v[2]
	l.Round, l.Input = int(schema.Number(v[6])), []byte(v[8])
	l.Crashes, l.Suspect, l.Strikes = int(schema.Number(v[3])), v[4], int(schema.Number(v[5]))
	return l, nil
}

// Checkpoint is the work of a run since its last checkpoint.
type Checkpoint struct {
	// From is the key after which the work begins, To the last key that
	// it covers. Only a last checkpoint may have To = From.
	From, To string
	Last     bool   // the shard is done
	Data     []byte // opaque; stored compressed
	Objects  int64
	Bytes    int64
	Errors   []tasks.ObjectError
	Tally    map[string]int64 // counts of the job's own
}

// Commit saves a checkpoint and reports whether it counts. It counts if
// it goes on where the shard stands, and no other run has committed
// that work before. It does not count if the job has ended, or is in
// another round. Commit returns ErrBudget if the job would keep too
// much. It is safe to call twice.
func (l ShardLease) Commit(ctx context.Context, c Checkpoint) (bool, error) {
	if c.From == c.To && !c.Last {
		return false, fmt.Errorf("commit %s: a checkpoint from %q to itself", l.Ref, c.From)
	}
	c.Errors = frames.Shorten(c.Errors)
	n, err := l.store.patient.run(ctx, lua.Commit, l.Ref.Job, lua.Args{
		"round":      l.Round,
		"index":      l.Ref.Shard,
		"from":       c.From,
		"to":         c.To,
		"last":       c.Last,
		"data":       l.store.codec.Pack(c.Data),
		"lines":      l.store.codec.PackErrors(c.Errors),
		"line_count": len(c.Errors),
		"line_limit": ErrorsKept,
		"budget":     l.store.limits.Bytes,
		"objects":    c.Objects,
		"bytes":      c.Bytes,
		"failed":     len(c.Errors),
		"warnings":   frames.CountWarnings(c.Errors),
		"size":       len(c.Data),
		"run":        l.run,
		"tallies":    c.tallies(),
	}).Int()
	if err != nil {
		return false, redisconn.Wrap(err, "commit %s", l.Ref)
	}
	return n == 1, overLimit(n)
}

// tallies returns fields of the record and how much each grows.
func (c Checkpoint) tallies() (list lua.List) {
	codes := frames.CountCodes(c.Errors)
	for _, name := range slices.Sorted(maps.Keys(c.Tally)) {
		list = append(list, schema.Tally+name, c.Tally[name])
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		list = append(list, schema.Code+code, codes[code])
	}
	return list
}

// MarkSuspect notes which object a careful run is about to touch. If
// the worker dies there, the next run knows the object as its Suspect.
func (l ShardLease) MarkSuspect(ctx context.Context, key string) error {
	err := l.store.patient.run(ctx, lua.MarkSuspect, l.Ref.Job, lua.Args{
		"round": l.Round, "index": l.Ref.Shard, "generation": l.Ref.Generation,
		"suspect": key,
	}).Err()
	return redisconn.Wrap(err, "note the object that %s is at", l.Ref)
}

// Suspend says that the run has ended before the shard was done, and
// that asynq brings the shard's task back after a pause.
func (l ShardLease) Suspend(ctx context.Context, pause time.Duration) error {
	err := l.store.patient.run(ctx, lua.SuspendShard, l.Ref.Job, lua.Args{
		"round": l.Round, "index": l.Ref.Shard, "generation": l.Ref.Generation,
		"pause": pause.Milliseconds(),
	}).Err()
	return redisconn.Wrap(err, "suspend %s", l.Ref)
}

// Fail notes why the shard can never be done. The job's coordinator
// ends the job with the first failure that was noted.
func (l ShardLease) Fail(ctx context.Context, f tasks.Failure) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	err = l.store.patient.run(ctx, lua.FailShard, l.Ref.Job,
		lua.Args{"round": l.Round, "failure": text}).Err()
	return redisconn.Wrap(err, "note the failure of %s", l.Ref)
}

// HeartbeatShards says that this process works on shards of a job in a
// round, and how far each is since its last checkpoint. If wanted is
// false, every run of a shard of this job in this round must stop.
func (s Store) HeartbeatShards(
	ctx context.Context, job string, round int, runs map[int]tasks.Progress,
) (wanted bool, err error) {
	list := make(lua.List, 0, 5*len(runs))
	for i, p := range runs {
		list = append(list, i, p.Objects, p.Bytes, p.Failed, p.Warnings)
	}
	n, err := s.prompt.run(ctx, lua.HeartbeatShards, job, lua.Args{
		"round": round,
		"runs":  list,
	}).Int()
	return n == 1, redisconn.Wrap(err, "heartbeat for shards of job %s", job)
}
