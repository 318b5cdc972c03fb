package job_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// countedKeys lists n keys and counts them.
type countedKeys struct {
	providers.Bucket
	n      int
	format string
	listed *int
}

// List implements providers.Bucket.
func (c countedKeys) List(context.Context, providers.ListOptions) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		for i := range c.n {
			*c.listed++
			if !yield(providers.Object{Key: fmt.Sprintf(c.format, i)}, nil) {
				return
			}
		}
	}
}

// spread gives each shard to the slot that is free first, and returns
// how many objects the slots have.
func spread(slots int, shards []job.Shard) []int64 {
	loads := make([]int64, slots)
	for _, s := range shards {
		i := slices.Index(loads, slices.Min(loads))
		loads[i] += s.Objects
	}
	return loads
}

// All slots have work, and end together: a bucket of 500 images uses
// them as one of 3,000 or 20,000 does.
func TestCut_AllSlotsEndTogether(t *testing.T) {
	t.Parallel()
	const size, least = 1000, 32
	for _, c := range []struct{ objects, slots int }{
		{500, 2}, {1000, 2}, {3000, 2}, {3000, 4}, {20_000, 2}, {20_000, 16},
	} {
		b := countedKeys{listed: new(int), n: c.objects, format: "%09d.jpg"}
		var shards []job.Shard
		env := job.Env{Slots: c.slots}
		if err := env.Cut(t.Context(), b, "", size, func(s job.Shard) error {
			shards = append(shards, s)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		loads := spread(c.slots, shards)
		if late := slices.Max(loads) - slices.Min(loads); late > 2*least {
			t.Errorf("%d objects on %d slots: %d, in %d shards", c.objects, c.slots, loads, len(shards))
		}
		if most := c.objects/size + 5*c.slots + c.slots*4; len(shards) > most {
			t.Errorf("%d objects on %d slots are in %d shards", c.objects, c.slots, len(shards))
		}
	}
}

// What is listed ahead takes bounded memory: with long keys the first
// shard is emitted sooner.
func TestCut_ListsFewLongKeysAhead(t *testing.T) {
	t.Parallel()
	listed, atFirst := 0, 0
	b := countedKeys{listed: &listed, n: 1000, format: "%0100000d"}
	_ = job.Env{Slots: 100}.Cut(t.Context(), b, "", 30, func(job.Shard) error {
		atFirst = listed
		return context.Canceled
	})
	if atFirst == 0 || atFirst > 100 {
		t.Errorf("%d keys were listed before the first shard", atFirst)
	}
}
