package queue

import (
	"context"
	"errors"
	"iter"
	"strconv"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/tasks/queue/schema"
)

var errMissingPart = errors.New("a committed part is missing: does Redis evict keys? " +
	"Set maxmemory-policy noeviction")

// Totals are the counts of a sharded job whose shards are all
// committed.
type Totals struct {
	Tally, Codes     map[string]int64 // counts of the job's own; lines of the error list by code
	Shards           int
	Bytes            int64
	Size             int64 // bytes of all parts, uncompressed
	Failed, Warnings int64 // lines of the error list; of these: warnings
}

// Totals reads what the shards of the job have committed.
func (l Lease) Totals(ctx context.Context) (Totals, error) {
	v, err := l.store.patient.client.HGetAll(ctx, schema.RecordKey(l.ID)).Result()
	f := schema.Fields(v)
	return Totals{
		Tally:  f.Numbers(schema.Tally),
		Codes:  f.Numbers(schema.Code),
		Shards: int(f.Number(schema.ShardsTotal)),
		Bytes:  f.Number(schema.Bytes),
		Size:   f.Number(schema.Size),
		Failed: f.Number(schema.Failed), Warnings: f.Number(schema.Warnings),
	}, redisconn.Wrap(err, "read the record of job %s", l.ID)
}

// shardsPerRead is of how many shards the data is read at once.
const shardsPerRead = 50

// Parts yields the data of the job's first n shards, in order. It reads
// a few at a time, and can be ranged over again. The first error ends
// it.
func (l Lease) Parts(ctx context.Context, n int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for from := 0; from < n; from += shardsPerRead {
			packed, err := l.readParts(ctx, from, min(from+shardsPerRead, n))
			if err != nil {
				yield(nil, err)
				return
			}
			if !l.yieldParts(packed, yield) {
				return
			}
		}
	}
}

func (l Lease) readParts(ctx context.Context, from, to int) ([]any, error) {
	var fields []string
	for i := from; i < to; i++ {
		fields = append(fields, strconv.Itoa(i))
	}
	key := schema.Key(schema.Parts, l.ID)
	packed, err := l.store.patient.client.HMGet(ctx, key, fields...).Result()
	return packed, redisconn.Wrap(err, "read the parts of job %s", l.ID)
}

func (l Lease) yieldParts(packed []any, yield func([]byte, error) bool) bool {
	for _, p := range packed {
		text, ok := p.(string)
		if !ok {
			yield(nil, errMissingPart)
			return false
		}
		part, err := l.store.codec.Unpack([]byte(text))
		if !yield(part, err) || err != nil {
			return false
		}
	}
	return true
}
