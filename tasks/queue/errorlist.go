package queue

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

// ErrorsKept is how many lines of a job's error list are stored. The
// list may be longer by the lines of one checkpoint. Progress.Failed
// counts all.
const ErrorsKept = 10_000

// Errors streams a job's error list, in the order of its shards. The
// list is empty if nothing failed or the record has expired. The first
// error ends it.
func (s Store) Errors(ctx context.Context, id string) iter.Seq2[tasks.ObjectError, error] {
	return errorList{s, schema.Key(schema.Errors, id)}.lines(ctx)
}

// errorList is the error list at a key.
type errorList struct {
	Store
	key string
}

func (l errorList) lines(ctx context.Context) iter.Seq2[tasks.ObjectError, error] {
	return func(yield func(tasks.ObjectError, error) bool) {
		shards, err := l.patient.client.HKeys(ctx, l.key).Result()
		if err != nil {
			yield(tasks.ObjectError{}, redisconn.Wrap(err, "read %s", l.key))
			return
		}
		slices.SortFunc(shards, func(a, b string) int {
			return cmp.Compare(schema.Number(a), schema.Number(b))
		})
		for some := range slices.Chunk(shards, shardsPerRead) {
			list, err := l.read(ctx, some)
			for _, e := range list {
				if !yield(e, nil) {
					return
				}
			}
			if err != nil {
				yield(tasks.ObjectError{}, err)
				return
			}
		}
	}
}

// read reads the lines of some shards. With an error it returns the
// lines before it.
func (l errorList) read(
	ctx context.Context, shards []string,
) (list []tasks.ObjectError, err error) {
	packed, err := l.patient.client.HMGet(ctx, l.key, shards...).Result()
	if err != nil {
		return nil, redisconn.Wrap(err, "read %s", l.key)
	}
	for i, p := range packed {
		text, _ := p.(string)
		lines, err := l.codec.UnpackErrors([]byte(text))
		if err != nil {
			return list, fmt.Errorf("%s, shard %s: %w", l.key, shards[i], err)
		}
		list = append(list, lines...)
	}
	return list, nil
}
