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

// ErrorsKept is how many lines of a job's error list are stored. The list
// may be longer by the lines of one checkpoint. Progress.Failed counts all.
const ErrorsKept = 10_000

// Errors streams a job's error list, in the order of its shards. The list
// is empty if nothing failed or the record has expired. The first error
// ends it.
func (s Store) Errors(ctx context.Context, id string) iter.Seq2[tasks.ObjectError, error] {
	return s.errorList(ctx, schema.Key(schema.Errors, id))
}

// errorList streams the error list at a key.
func (s Store) errorList(ctx context.Context, key string) iter.Seq2[tasks.ObjectError, error] {
	return func(yield func(tasks.ObjectError, error) bool) {
		shards, err := s.patient.client.HKeys(ctx, key).Result()
		if err != nil {
			yield(tasks.ObjectError{}, redisconn.Wrap(err, "read %s", key))
			return
		}
		slices.SortFunc(shards, func(a, b string) int {
			return cmp.Compare(schema.Number(a), schema.Number(b))
		})
		for some := range slices.Chunk(shards, shardsPerRead) {
			list, err := s.readErrors(ctx, key, some)
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

// readErrors reads the lines of some shards. With an error it returns the
// lines before it.
func (s Store) readErrors(
	ctx context.Context, key string, shards []string,
) (list []tasks.ObjectError, err error) {
	packed, err := s.patient.client.HMGet(ctx, key, shards...).Result()
	if err != nil {
		return nil, redisconn.Wrap(err, "read %s", key)
	}
	for i, p := range packed {
		text, _ := p.(string)
		lines, err := s.codec.UnpackErrors([]byte(text))
		if err != nil {
			return list, fmt.Errorf("%s, shard %s: %w", key, shards[i], err)
		}
		list = append(list, lines...)
	}
	return list, nil
}

func countCodes(list []tasks.ObjectError) map[string]int64 {
	codes := map[string]int64{}
	for _, e := range list {
		codes[e.Code]++
	}
	return codes
}
