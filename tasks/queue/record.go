package queue

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
)

var (
	// ErrNoJob means that Redis has no record of a job: it was never enqueued, or its record has expired.
	ErrNoJob = errors.New("no such job: it was never enqueued, or was removed some time after its end")
	// ErrFenced means that another coordinator has taken the job over. Whoever gets it must let go of the job at once.
	ErrFenced = errors.New("another worker has taken this job over")
)

// unstarted is how long the record of a job is kept that no worker ever begins.
const unstarted = 30 * 24 * time.Hour

// Records is the job records in one Redis. It may be used by many goroutines at once.
type Records struct {
	client redis.UniversalClient
	codec
}

// NewRecords uses a client that the caller goes on owning.
func NewRecords(c redis.UniversalClient) Records { return Records{c, newCodec()} }

// Existing is what Create found.
type Existing struct {
	Kind    string
	Payload []byte
	State   tasks.State
}

// Create makes the record of a job that is about to be enqueued, or returns the one there is. It is safe to call twice.
func (r Records) Create(ctx context.Context, id, kind string, payload []byte) (Existing, error) {
	v, err := createScript.Run(ctx, r.client, []string{recordKey(id)}, kind, payload, now(), unstarted.Milliseconds()).StringSlice()
	if err != nil {
		return Existing{}, Wrap(err, "create record of job %s", id)
	}
	return Existing{Kind: v[0], Payload: []byte(v[1]), State: tasks.State(v[2])}, nil
}

// Claim is a coordinator's hold on a job. The next Begin takes it away.
type Claim struct {
	ID      string
	State   tasks.State
	Started time.Time // when the job first began, on whatever worker
	Cursor  string    // Through of the last shard planned
	Shards  int       // planned so far
	epoch   string
}

// Begin claims a job for a coordinator. When the job has already ended, the claim's State is final and nothing else in it
// is set. A job enqueued without a record, as other languages do, gets one here.
func (r Records) Begin(ctx context.Context, id, kind string, payload []byte, first tasks.State) (Claim, error) {
	v, err := beginScript.Run(ctx, r.client, []string{recordKey(id)}, kind, payload, now(), string(first)).StringSlice()
	if err != nil {
		return Claim{}, Wrap(err, "begin job %s", id)
	}
	c := Claim{ID: id, State: tasks.State(v[0])}
	if c.State.Final() {
		return c, nil
	}
	c.epoch, c.Started, c.Cursor = v[1], parseTime(v[2]), v[3]
	c.Shards, err = strconv.Atoi(v[4])
	return c, err
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

// Step moves a job on, for example from planning to running. It is safe to call twice.
func (r Records) Step(ctx context.Context, c Claim, from, to tasks.State) error {
	return r.script(ctx, stepScript, []string{recordKey(c.ID)}, c.epoch, string(from), string(to))
}

// Progress sets the counts of a single job.
func (r Records) Progress(ctx context.Context, c Claim, p tasks.Progress) error {
	return r.script(ctx, progressScript, []string{recordKey(c.ID)}, c.epoch, p.Objects, p.ObjectsTotal, p.Bytes, p.Failed)
}

// End is how a job ended: with a result, or with a failure.
type End struct {
	Result  []byte              // JSON; nil when it failed
	Failure *tasks.Failure      // nil when it succeeded
	Errors  []tasks.ObjectError // the error list of a single job; a sharded one has committed its own
	Keep    time.Duration       // how long the record stays
}

// Publish ends a job, once: a second call changes nothing. Only the coordinator that holds the job can.
func (r Records) Publish(ctx context.Context, c Claim, e End) error {
	state, field, text := tasks.StateSucceeded, "result", e.Result
	if e.Failure != nil {
		var err error
		state, field = tasks.StateFailed, "failure"
		if text, err = json.Marshal(e.Failure); err != nil {
			return err
		}
	}
	keys := []string{recordKey(c.ID), shardsKey(c.ID), doneKey(c.ID), partsKey(c.ID), errorsKey(c.ID)}
	return r.script(ctx, publishScript, keys,
		c.epoch, string(state), field, text, now(), e.Keep.Milliseconds(), r.packErrors(capped(e.Errors)))
}

// script runs a coordinator's script and tells being fenced from every other failure, above all from Redis being away.
func (r Records) script(ctx context.Context, s *redis.Script, keys []string, args ...any) error {
	err := s.Run(ctx, r.client, keys, args...).Err()
	var answer redis.Error
	if errors.As(err, &answer) && strings.Contains(answer.Error(), "FENCED") {
		return ErrFenced
	}
	return Wrap(err, "%s", keys[0])
}

func now() int64 { return time.Now().UnixMilli() }

func parseTime(millis string) time.Time {
	n, err := strconv.ParseInt(millis, 10, 64)
	if err != nil || n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}
