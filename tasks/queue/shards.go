package queue

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// ErrBudget means that the parts of a job would take more of Redis than they
// may.
var ErrBudget = errors.New("the parts of this job take more room in Redis than they may")

// Assignment is what a worker needs to know to do a shard.
type Assignment struct {
	Wanted  bool // false when the shard is done already, or the job has ended: there is nothing to do
	Payload []byte
	Shard   []byte
	Resume  string // the last key that is dealt with already; empty at first
	Crashes int    // of workers at this shard, since the last checkpoint
	At      string // key of the object that the last careful run was at; empty if there was none
	Strikes int    // how often a worker died at that object
}

// Start begins a run of a shard, with its first beat.
func (r Records) Start(ctx context.Context, ref ShardRef) (Assignment, error) {
	keys := []string{recordKey(ref.Job), shardsKey(ref.Job), doneKey(ref.Job), runsKey(ref.Job)}
	v, err := startScript.Run(ctx, r.client, keys, ref.Shard, ref.Generation).StringSlice()
	if err != nil {
		return Assignment{}, redisconn.Wrap(err, "start shard %d of job %s", ref.Shard, ref.Job)
	}
	if len(v) == 0 {
		return Assignment{}, nil
	}
	return Assignment{
		Wanted: true, Payload: []byte(v[0]), Shard: []byte(v[1]), Resume: v[2],
		Crashes: int(number(v[3])), At: v[4], Strikes: int(number(v[5])),
	}, nil
}

// Piece is what a run has done of a shard since the last checkpoint.
type Piece struct {
	From, To string // keys: it goes on after From and ends with To, which only a last piece may leave as it was
	Run      string // any name of the run that made it, by which a piece that is handed in again is told from a rival's
	Last     bool   // the shard is done with it
	Data     []byte // opaque; compressed here
	Objects  int64
	Bytes    int64
	Errors   []tasks.ObjectError
	Tally    map[string]int64
	Budget   int64 // how many bytes the parts of the whole job may take in Redis, compressed
}

// Commit hands in a piece and reports whether it counted: the first one that
// goes on where the shard stands does, any other does not, nor does one for a
// job that has ended. It is ErrBudget if the parts grow too large. It is safe
// to call twice.
func (r Records) Commit(ctx context.Context, ref ShardRef, p Piece) (bool, error) {
	if p.From == p.To && !p.Last {
		return false, fmt.Errorf("commit shard %d of job %s: a piece from %q to itself", ref.Shard, ref.Job, p.From)
	}
	n, err := commitScript.Run(ctx, r.client, pieceKeys(ref.Job), r.pieceArgs(ref, p)...).Int()
	switch {
	case err != nil:
		return false, redisconn.Wrap(err, "commit shard %d of job %s", ref.Shard, ref.Job)
	case n == -2:
		return false, ErrBudget
	}
	return n == 1, nil
}

func pieceKeys(job string) []string {
	return []string{recordKey(job), doneKey(job), runsKey(job), partsKey(job), errorsKey(job), madeKey(job)}
}

func (c codec) pieceArgs(ref ShardRef, p Piece) []any {
	var data []byte
	if len(p.Data) > 0 {
		data = c.pack(p.Data)
	}
	args := []any{
		ref.Shard, p.From, p.To, p.Last, data, c.packErrors(p.Errors), len(p.Errors), ErrorsKept, p.Budget,
		p.Objects, p.Bytes, len(p.Errors), len(p.Data), cmp.Or(p.Run, rand.Text()),
	}
	for _, name := range slices.Sorted(maps.Keys(p.Tally)) {
		args = append(args, "tally:"+name, p.Tally[name])
	}
	codes := countCodes(p.Errors)
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		args = append(args, "code:"+code, codes[code])
	}
	return args
}

// Beat tells that this process works on shards of a job, and how far each is
// since its last checkpoint. It reports whether the job still wants them:
// when it is false every run must stop.
func (r Records) Beat(ctx context.Context, job string, runs map[int]tasks.Progress) (wanted bool, err error) {
	args := make([]any, 0, 4*len(runs))
	for i, p := range runs {
		args = append(args, i, p.Objects, p.Bytes, p.Failed)
	}
	n, err := beatScript.Run(ctx, r.client, runKeys(job), args...).Int()
	return n == 1, redisconn.Wrap(err, "beat for job %s", job)
}

func runKeys(job string) []string { return []string{recordKey(job), doneKey(job), runsKey(job)} }

// Leave tells that a run has ended before its shard was done, and that asynq
// brings its task back within a while.
func (r Records) Leave(ctx context.Context, ref ShardRef, pause time.Duration) error {
	return redisconn.Wrap(leaveScript.Run(ctx, r.client, runKeys(ref.Job), ref.Shard, ref.Generation, pause.Milliseconds()).Err(), "leave shard %d of job %s", ref.Shard, ref.Job)
}

// At notes which object a careful run is about to touch, so that if its
// worker dies it is known at what.
func (r Records) At(ctx context.Context, ref ShardRef, key string) error {
	return redisconn.Wrap(atScript.Run(ctx, r.client, runKeys(ref.Job), ref.Shard, ref.Generation, key).Err(), "shard %d of job %s", ref.Shard, ref.Job)
}

// Fail notes why a shard can never be done, for the coordinator to end the
// job with. The first note stays.
func (r Records) Fail(ctx context.Context, job string, f tasks.Failure) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return r.script(ctx, faultScript, []string{recordKey(job)}, text)
}

// Replace makes room for the next generation of a shard's task, which the
// caller must enqueue. It reports false when the run has beaten since it was
// seen, or the shard is done. crashed says that a worker died at it.
func (r Records) Replace(ctx context.Context, c Claim, shard int, seen Run, crashed bool) (bool, error) {
	n, err := replaceScript.Run(ctx, r.client, []string{recordKey(c.ID), runsKey(c.ID), doneKey(c.ID)},
		c.epoch, shard, seen.Generation+1, seen.beat, crashed).Int()
	return n == 1, fenced(err, recordKey(c.ID))
}

// Cap limits how many shards may be under way at once, of all jobs that ask
// for a share of it.
type Cap struct {
	Name  string
	Limit int
}

// Share asks for a job's share of a cap: it has some shards under way and
// wants so many in all. The answer is how many it may have, never fewer than
// it has. It must be asked again within half of shareLasts.
func (r Records) Share(ctx context.Context, c Cap, job string, have, want int) (int, error) {
	n, err := capScript.Run(ctx, r.client, []string{capKey(c.Name)}, job, have, want, c.Limit, shareLasts.Milliseconds()).Int()
	return n, redisconn.Wrap(err, "share of cap %s", c.Name)
}

// Unshare gives a job's share back.
func (r Records) Unshare(ctx context.Context, name, job string) error {
	return redisconn.Wrap(r.client.HDel(ctx, capKey(name), job).Err(), "share of cap %s", name)
}

const shareLasts = 20 * time.Second

const partsAtOnce = 50

// Parts yields the data of a job's first n shards in order, a few at a time.
// It can be ranged over again.
func (r Records) Parts(ctx context.Context, job string, n int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for from := 0; from < n; from += partsAtOnce {
			var fields []string
			for i := from; i < min(from+partsAtOnce, n); i++ {
				fields = append(fields, strconv.Itoa(i))
			}
			packed, err := r.client.HMGet(ctx, partsKey(job), fields...).Result()
			if err != nil {
				yield(nil, redisconn.Wrap(err, "read parts of job %s", job))
				return
			}
			if !r.yieldParts(packed, yield) {
				return
			}
		}
	}
}

func (c codec) yieldParts(packed []any, yield func([]byte, error) bool) bool {
	for _, p := range packed {
		text, ok := p.(string)
		if !ok {
			yield(nil, errors.New("a committed part is missing: does Redis evict keys? Set maxmemory-policy noeviction"))
			return false
		}
		part, err := c.unpack([]byte(text))
		if !yield(part, err) || err != nil {
			return false
		}
	}
	return true
}
