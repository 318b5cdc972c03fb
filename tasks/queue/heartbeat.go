package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/lua"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// ProgressReport is how far a job is, committed or not, as its
// coordinator knows.
type ProgressReport struct {
	Objects, Bytes   int64
	Failed, Warnings int64
	Total            int64 // of objects; -1 if planning counts them
	Rate             float64
	ETASeconds       int64
}

// Heartbeat says that the coordinator is alive and how far the job is.
// It returns what the workers have done. Readers of Status see the
// report at once, but never a count that falls.
func (l Lease) Heartbeat(ctx context.Context, p ProgressReport) (Snapshot, error) {
	v, err := l.store.prompt.run(ctx, lua.Heartbeat, l.ID, lua.Args{
		"epoch":    l.epoch,
		"objects":  p.Objects,
		"total":    p.Total,
		"bytes":    p.Bytes,
		"failed":   p.Failed,
		"warnings": p.Warnings,
		"rate":     p.Rate,
		"eta":      p.ETASeconds,
	}).Slice()
	if err != nil {
		return Snapshot{}, fenced(err, l.ID)
	}
	s, err := newSnapshot(v)
	if err != nil {
		return s, fmt.Errorf("record of job %s: %w", l.ID, err)
	}
	s.Shown.Rate, s.Shown.ETASeconds = p.Rate, p.ETASeconds
	return s, nil
}

// Snapshot is what a coordinator sees of its job.
type Snapshot struct {
	State tasks.State
	// ShardFailure says why a shard can never be done. It is nil if
	// there is no such shard.
	ShardFailure *tasks.Failure
	Committed    tasks.Progress
	Shown        tasks.Progress // what readers see
	PartsBytes   int64          // of all parts in Redis, compressed
	KeptBytes    int64          // of all that counts against Limits.Bytes
	Now          time.Time      // by the clock of the server, like LastHeartbeat
	Shards       map[int]ShardState
	done         []byte // bitmap
}

// ShardState is what is known of a shard that was begun and is not
// committed.
type ShardState struct {
	// LastHeartbeat is zero if no run has the shard. It is in the
	// future while the shard's task waits to come back.
	LastHeartbeat time.Time
	Generation    int
	Live          tasks.Progress // since the last checkpoint
	heartbeat     string         // as it is in Redis
}

// Done reports whether a shard is committed.
func (s Snapshot) Done(shard int) bool {
	return shard/8 < len(s.done) && s.done[shard/8]&(0x80>>(shard%8)) != 0
}

// Undone returns the first planned shards, from an index on, that are
// not committed. It returns at most limit of them.
func (s Snapshot) Undone(from, limit int) (undone []int) {
	for i := from; i < int(s.Committed.ShardsTotal) && len(undone) < limit; i++ {
		if !s.Done(i) {
			undone = append(undone, i)
		}
	}
	return undone
}

// newSnapshot reads the answer of heartbeat.lua.
func newSnapshot(answer []any) (Snapshot, error) {
	text := func(i int) string { t, _ := answer[i].(string); return t }
	count := func(i int) int64 { return schema.Number(text(i)) }
	runs, _ := answer[2].([]any)

	// progress reads the four counts that begin at an index.
	progress := func(i int) tasks.Progress {
		return tasks.Progress{
			Objects: count(i), Bytes: count(i + 1), Failed: count(i + 2), Warnings: count(i + 3),
			ObjectsTotal: count(5), Shards: count(6), ShardsTotal: count(7),
		}
	}
	s := Snapshot{
		Now:        schema.Time(text(0)),
		done:       []byte(text(1)),
		Shards:     shardStates(runs),
		State:      tasks.State(text(3)),
		PartsBytes: count(8),
		KeptBytes:  count(9),
		Committed:  progress(10),
		Shown:      progress(14),
	}
	if text(4) == "" {
		return s, nil
	}
	s.ShardFailure = new(tasks.Failure)
	return s, json.Unmarshal([]byte(text(4)), s.ShardFailure)
}

func shardStates(fields []any) map[int]ShardState {
	states := map[int]ShardState{}
	for i, run := range schema.ParseRuns(fields) {
		at, live := run.Live()
		states[i] = ShardState{at, run.Generation, live, run.Heartbeat}
	}
	return states
}

// ReplaceShard makes room for the next generation of a shard's task,
// which the caller must enqueue. It reports false if the shard's run
// has sent a heartbeat since it was seen, or the shard is done. crashed
// says that a worker died at the shard. It is safe to call twice.
func (l Lease) ReplaceShard(
	ctx context.Context, shard int, seen ShardState, crashed bool,
) (bool, error) {
	n, err := l.store.patient.run(ctx, lua.ReplaceShard, l.ID, lua.Args{
		"epoch":          l.epoch,
		"index":          shard,
		"generation":     seen.Generation + 1,
		"seen_heartbeat": seen.heartbeat,
		"crashed":        crashed,
	}).Int()
	return n == 1, fenced(err, l.ID)
}
