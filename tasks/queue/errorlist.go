package queue

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// ErrorsKept is how many lines of a job's error list are kept, give or take a
// shard. All are counted in Progress.Failed.
const ErrorsKept = 10_000

// Errors streams a job's error list, in the order of its shards. It is empty
// when nothing failed or the record has expired. The first error ends it.
func (r Records) Errors(ctx context.Context, job string) iter.Seq2[tasks.ObjectError, error] {
	return r.errorsAt(ctx, errorsKey(job))
}

// ToRetry streams the error list that a retry of a job works on.
func (r Records) ToRetry(ctx context.Context, job string) iter.Seq2[tasks.ObjectError, error] {
	return r.errorsAt(ctx, retryKey(job))
}

func (r Records) errorsAt(ctx context.Context, key string) iter.Seq2[tasks.ObjectError, error] {
	return func(yield func(tasks.ObjectError, error) bool) {
		shards, err := r.client.HKeys(ctx, key).Result()
		if err != nil {
			yield(tasks.ObjectError{}, redisconn.Wrap(err, "read %s", key))
			return
		}
		slices.SortFunc(shards, func(a, b string) int { return cmp.Compare(number(a), number(b)) })
		for some := range slices.Chunk(shards, partsAtOnce) {
			if !r.yieldErrors(ctx, key, some, yield) {
				return
			}
		}
	}
}

func (r Records) yieldErrors(ctx context.Context, key string, shards []string, yield func(tasks.ObjectError, error) bool) bool {
	packed, err := r.client.HMGet(ctx, key, shards...).Result()
	if err != nil {
		return yield(tasks.ObjectError{}, redisconn.Wrap(err, "read %s", key)) && false
	}
	for i, p := range packed {
		text, _ := p.(string)
		list, err := r.unpackErrors([]byte(text))
		if err != nil {
			return yield(tasks.ObjectError{}, fmt.Errorf("%s, shard %s: %w", key, shards[i], err)) && false
		}
		for _, e := range list {
			if !yield(e, nil) {
				return false
			}
		}
	}
	return true
}

func capped(list []tasks.ObjectError) []tasks.ObjectError { return list[:min(len(list), ErrorsKept)] }

// packErrors writes one JSON line an object, compressed; no lines are no
// bytes.
func (c codec) packErrors(list []tasks.ObjectError) []byte {
	if len(list) == 0 {
		return nil
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, e := range list {
		_ = enc.Encode(e) // three strings into memory cannot fail
	}
	return c.pack(lines.Bytes())
}

func (c codec) unpackErrors(packed []byte) ([]tasks.ObjectError, error) {
	lines, err := c.unpack(packed)
	if err != nil {
		return nil, err
	}
	var list []tasks.ObjectError
	for dec := json.NewDecoder(bytes.NewReader(lines)); dec.More(); {
		var e tasks.ObjectError
		if err := dec.Decode(&e); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}
