package queue

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Assignment is what a worker needs to know to do a shard.
type Assignment struct {
	Kind    string
	Payload []byte
	Shard   []byte
	Wanted  bool // false when the shard is done already or the job has ended: there is nothing to do
}

// Assignment reads a shard's assignment. A job that is gone wants nothing any more.
func (r Records) Assignment(ctx context.Context, ref ShardRef) (Assignment, error) {
	pipe := r.client.Pipeline()
	record := pipe.HMGet(ctx, recordKey(ref.Job), "kind", "payload", "state", "fault")
	shard := pipe.LIndex(ctx, shardsKey(ref.Job), int64(ref.Shard))
	done := pipe.GetBit(ctx, doneKey(ref.Job), int64(ref.Shard))
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return Assignment{}, Wrap(err, "read shard %d of job %s", ref.Shard, ref.Job)
	}
	v := record.Val()
	kind, _ := v[0].(string)
	payload, _ := v[1].(string)
	state, _ := v[2].(string)
	working := state == string(tasks.StatePlanning) || state == string(tasks.StateRunning)
	return Assignment{
		Kind: kind, Payload: []byte(payload), Shard: []byte(shard.Val()),
		Wanted: working && v[3] == nil && done.Val() == 0 && shard.Val() != "",
	}, nil
}

// Commit is what a finished shard hands in.
type Commit struct {
	Part   []byte // opaque; compressed here
	Errors []tasks.ObjectError
	Counts tasks.Progress // Objects, Bytes and Failed
}

// Commit hands in a shard and reports whether it counted: the first one does, a later one and one for a job that has ended
// do not. It is safe to call twice.
func (r Records) Commit(ctx context.Context, ref ShardRef, c Commit) (bool, error) {
	keys := []string{recordKey(ref.Job), doneKey(ref.Job), partsKey(ref.Job), errorsKey(ref.Job)}
	first, err := commitScript.Run(ctx, r.client, keys,
		ref.Shard, r.pack(c.Part), r.packErrors(c.Errors), len(c.Errors), ErrorsKept,
		c.Counts.Objects, c.Counts.Bytes, c.Counts.Failed).Int()
	if err != nil {
		return false, Wrap(err, "commit shard %d of job %s", ref.Shard, ref.Job)
	}
	return first == 1, nil
}

// Fail notes why a shard can never be done, for the coordinator to end the job with. The first note stays.
func (r Records) Fail(ctx context.Context, job string, f tasks.Failure) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return r.script(ctx, faultScript, []string{recordKey(job)}, text)
}

// Undone lists the planned shards that have not been committed.
func (r Records) Undone(ctx context.Context, job string) ([]int, error) {
	pipe := r.client.Pipeline()
	planned := pipe.LLen(ctx, shardsKey(job))
	bits := pipe.Get(ctx, doneKey(job))
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, Wrap(err, "read shards of job %s", job)
	}
	var undone []int
	done := []byte(bits.Val())
	for i := range int(planned.Val()) {
		if i/8 >= len(done) || done[i/8]&(0x80>>(i%8)) == 0 {
			undone = append(undone, i)
		}
	}
	return undone, nil
}

const partsAtOnce = 50

// Parts yields the parts of a job's first n shards in order, a few at a time. It can be ranged over again.
func (r Records) Parts(ctx context.Context, job string, n int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for from := 0; from < n; from += partsAtOnce {
			var fields []string
			for i := from; i < min(from+partsAtOnce, n); i++ {
				fields = append(fields, strconv.Itoa(i))
			}
			packed, err := r.client.HMGet(ctx, partsKey(job), fields...).Result()
			if err != nil {
				yield(nil, Wrap(err, "read parts of job %s", job))
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
