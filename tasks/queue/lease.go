package queue

import (
	"context"
	"iter"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// ClaimRequest says which job a coordinator claims, and what its task holds.
type ClaimRequest struct {
	Ref     JobRef
	Kind    string
	Payload []byte
	Queue   string      // that the task came from
	First   tasks.State // that a queued job enters
}

// Lease is a coordinator's right to write to a job's record. The next Claim
// of the job, and Cancel, take it away: its methods then return ErrFenced.
type Lease struct {
	ID             string
	Kind           string
	State          tasks.State
	Over           bool      // nothing is to be done: the job has ended, or a later generation of its task has it
	Started        time.Time // when the job first began, on whatever worker
	Cursor         string    // Cursor of the last shard planned
	Shards         int       // planned so far
	Round          int       // how often the job was retried
	PreviousResult []byte    // the result of the round before, JSON; nil unless this is a retry
	claim          Claim
	store          Store
}

// Claim gives a job to a coordinator. A job enqueued without a record, as
// other languages do, gets one here.
func (s Store) Claim(ctx context.Context, r ClaimRequest) (Lease, error) {
	c, err := s.patient.begin(ctx, r)
	return Lease{
		ID: c.ID, Kind: c.Kind, State: c.State, Over: c.Over, Started: c.Started, Cursor: c.Cursor,
		Shards: c.Shards, Round: c.Round, PreviousResult: c.Amends, claim: c, store: s,
	}, err
}

// Epoch counts the coordinators that the job has had.
func (l Lease) Epoch() int64 { return l.claim.Epoch() }

// PlannedShard is a shard that was planned.
type PlannedShard struct {
	Index   int
	Shard   []byte // opaque
	Cursor  string // where planning goes on after it
	Objects int64
}

// Plan adds the next shard of a job. It is safe to call twice.
func (l Lease) Plan(ctx context.Context, p PlannedShard) error {
	return l.store.patient.Plan(ctx, l.claim, Planned(p))
}

// Advance moves a job on, for example from planning to running. It is safe to
// call twice.
func (l Lease) Advance(ctx context.Context, from, to tasks.State) error {
	return l.store.patient.Step(ctx, l.claim, from, to)
}

// ProgressReport is how far a job is, committed or not, as its coordinator
// knows.
type ProgressReport struct {
	Objects, Bytes, Failed int64
	Total                  int64 // of objects; -1 when planning counts them
	Rate                   float64
	ETASeconds             int64
}

// ShardState is what is known of a shard that was begun and is not committed.
type ShardState struct {
	LastHeartbeat time.Time // zero when no worker has it; in the future while its task waits to come back
	Generation    int
	Live          tasks.Progress // since the last checkpoint
	beat          string
}

// Snapshot is what a coordinator sees of its job.
type Snapshot struct {
	State        tasks.State
	ShardFailure *tasks.Failure // noted by a shard that cannot be done; nil if there is none
	Committed    tasks.Progress
	Shown        tasks.Progress // what Status shows: the counts never fall
	PartsBytes   int64          // in Redis, compressed
	Now          time.Time      // by the server's clock, which the heartbeats are measured by
	Shards       map[int]ShardState
	view         View
}

// Done reports whether a shard is committed.
func (s Snapshot) Done(shard int) bool { return s.view.Done(shard) }

// Undone lists the planned shards from some index on that are not committed,
// so many at most.
func (s Snapshot) Undone(from, most int) []int { return s.view.Undone(from, most) }

// Heartbeat says that the coordinator is alive and how far the job is, and
// reads what the workers have done.
func (l Lease) Heartbeat(ctx context.Context, p ProgressReport) (Snapshot, error) {
	v, err := l.store.prompt.Look(ctx, l.claim, Shown(p))
	s := Snapshot{
		State: v.State, ShardFailure: v.Fault, Committed: v.Committed, Shown: v.Figures,
		PartsBytes: v.PartsBytes, Now: v.Now, Shards: map[int]ShardState{}, view: v,
	}
	for i, r := range v.Runs {
		s.Shards[i] = ShardState{r.Beat, r.Generation, r.Live, r.beat}
	}
	return s, err
}

// ReplaceShard makes room for the next generation of a shard's task, which
// the caller must enqueue. It reports false when the shard's worker has sent
// a heartbeat since it was seen, or the shard is done. crashed says that a
// worker died at it.
func (l Lease) ReplaceShard(ctx context.Context, shard int, seen ShardState, crashed bool) (bool, error) {
	r := Run{seen.LastHeartbeat, seen.Generation, seen.Live, seen.beat}
	return l.store.patient.Replace(ctx, l.claim, shard, r, crashed)
}

// Suspend says that asynq brings the job's task back after a pause: until
// then nobody takes the job over.
func (l Lease) Suspend(ctx context.Context, pause time.Duration) error {
	return l.store.patient.Rest(ctx, l.claim, pause)
}

// RetryList streams the error list that a retry works on.
func (l Lease) RetryList(ctx context.Context) iter.Seq2[tasks.ObjectError, error] {
	return l.store.patient.ToRetry(ctx, l.ID)
}

// Totals reads what the shards of the job have committed.
func (l Lease) Totals(ctx context.Context) (Totals, error) {
	return l.store.patient.Totals(ctx, l.ID)
}

// Parts yields the data of the job's first n shards in order, a few at a
// time. It can be ranged over again.
func (l Lease) Parts(ctx context.Context, n int) iter.Seq2[[]byte, error] {
	return l.store.patient.Parts(ctx, l.ID, n)
}

// Publish ends the job, once: a second call changes nothing.
func (l Lease) Publish(ctx context.Context, e End) error {
	return l.store.patient.Publish(ctx, l.claim, e)
}
