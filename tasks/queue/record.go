package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

var (
	// ErrNoJob means that Redis has no record of a job: it was never
	// enqueued, or its record has expired.
	ErrNoJob = errors.New("no such job: it was never enqueued, or was removed some time after its end")
	// ErrFenced means that another coordinator has taken the job over, or
	// that it has ended. Whoever gets it must let go of the job at once.
	ErrFenced = errors.New("another worker has taken this job over, or it has ended, perhaps by being cancelled")
)

// unstarted is how long the record of a job is kept that no worker ever
// begins.
const unstarted = 30 * 24 * time.Hour

// Records is the job records in one Redis. It may be used by many goroutines
// at once.
type Records struct {
	client redis.UniversalClient
	codec
}

// NewRecords uses a client that the caller goes on owning.
func NewRecords(c redis.UniversalClient) Records { return Records{c, newCodec()} }

// Existing is what Create found.
type Existing = CreateResult

// Create makes the record of a job that is about to be enqueued, or returns
// the one there is. It is safe to call twice.
func (r Records) Create(ctx context.Context, id, kind string, payload []byte) (Existing, error) {
	return r.create(ctx, NewJob{ID: id, Kind: kind, Payload: payload})
}

func (r Records) create(ctx context.Context, j NewJob) (Existing, error) {
	// The index comes first: a job that is in it without a record is taken
	// out again, the other way round it could be lost.
	if err := r.track(ctx, j.ID); err != nil {
		return Existing{}, err
	}
	v, err := createScript.Run(ctx, r.client, []string{recordKey(j.ID)},
		j.Kind, j.Payload, now(), unstarted.Milliseconds(), j.Queue).StringSlice()
	if err != nil {
		return Existing{}, redisconn.Wrap(err, "create record of job %s", j.ID)
	}
	return Existing{
		Kind: v[0], Payload: []byte(v[1]), State: tasks.State(v[2]), Generation: int(number(v[3])), Queue: v[4],
	}, nil
}

// Claim is a coordinator's hold on a job. The next Begin takes it away.
type Claim struct {
	ID      string
	Kind    string
	State   tasks.State
	Over    bool      // nothing is to be done: the job has ended, or a later generation of its task has it
	Started time.Time // when the job first began, on whatever worker
	Cursor  string    // Through of the last shard planned
	Shards  int       // planned so far
	Round   int       // how often the job was begun again for what had failed
	Amends  []byte    // the result of the round before, JSON; nil unless this is a retry
	epoch   string
}

// Epoch counts the coordinators that the job has had.
func (c Claim) Epoch() int64 { return number(c.epoch) }

// Begin claims a job for a coordinator, which runs in a task of the given
// generation. A job enqueued without a record, as other languages do, gets
// one here.
func (r Records) Begin(ctx context.Context, ref JobRef, kind string, payload []byte, first tasks.State) (Claim, error) {
	return r.begin(ctx, ClaimRequest{Ref: ref, Kind: kind, Payload: payload, First: first})
}

func (r Records) begin(ctx context.Context, q ClaimRequest) (Claim, error) {
	ref, kind, payload, first := q.Ref, q.Kind, q.Payload, q.First
	if err := r.track(ctx, ref.Job); err != nil {
		return Claim{}, err
	}
	v, err := beginScript.Run(ctx, r.client, []string{recordKey(ref.Job)},
		kind, payload, now(), string(first), ref.Generation, rand.Text(), q.Queue).StringSlice()
	if err != nil {
		return Claim{}, redisconn.Wrap(err, "begin job %s", ref.Job)
	}
	c := Claim{ID: ref.Job, Kind: kind, State: tasks.State(v[0])}
	if len(v) == 1 {
		c.Over = true
		if c.State.Final() {
			return c, r.Flush(ctx, c.ID) // it was tracked above, and its last event may be missing
		}
		return c, nil
	}
	c.epoch, c.Started, c.Cursor = v[1], parseTime(v[2]), v[3]
	c.Shards, c.Round = int(number(v[4])), int(number(v[5]))
	if v[6] != "" {
		c.Amends = []byte(v[6])
	}
	return c, nil
}

// Rest tells that a coordinator lets go of the job for a while, after which
// asynq brings it back: until then nobody takes it for dead.
func (r Records) Rest(ctx context.Context, c Claim, pause time.Duration) error {
	return r.script(ctx, restScript, []string{recordKey(c.ID)}, c.epoch, pause.Milliseconds())
}

// Planned is a shard that was planned.
type Planned struct {
	Index   int
	Shard   []byte // opaque
	Cursor  string // where planning goes on after it
	Objects int64
}

// Plan keeps the next shard of a job. It is safe to call twice.
func (r Records) Plan(ctx context.Context, c Claim, p Planned) error {
	return r.script(ctx, planScript, []string{recordKey(c.ID), shardsKey(c.ID)}, c.epoch, p.Index, p.Shard, p.Cursor, p.Objects)
}

// Step moves a job on, for example from planning to running. It is safe to
// call twice.
func (r Records) Step(ctx context.Context, c Claim, from, to tasks.State) error {
	return r.script(ctx, stepScript, []string{recordKey(c.ID)}, c.epoch, string(from), string(to))
}

// script runs a coordinator's script and tells being fenced from every other
// failure, above all from Redis being away.
func (r Records) script(ctx context.Context, s *redis.Script, keys []string, args ...any) error {
	return fenced(s.Run(ctx, r.client, keys, args...).Err(), keys[0])
}

func fenced(err error, key string) error {
	var answer redis.Error
	if errors.As(err, &answer) && strings.Contains(answer.Error(), "FENCED") {
		return fmt.Errorf("%s: %w", key, ErrFenced)
	}
	return redisconn.Wrap(err, "%s", key)
}

func now() int64 { return time.Now().UnixMilli() }

func parseTime(millis string) time.Time {
	n, err := strconv.ParseInt(millis, 10, 64)
	if err != nil || n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // a missing field is 0
	return n
}
