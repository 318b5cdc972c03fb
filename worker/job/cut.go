package job

import (
	"context"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job/listing"
)

// Cut lists a bucket's objects after a key and emits shards of at most
// size objects each, with their Listing. Together the shards contain
// every listed key once.
//
// The last shards are smaller and smaller, so that all slots have work
// and end at about the same time. Where a shard ends depends only on
// the keys behind its After: a plan that goes on emits the same shards.
func (e Env) Cut(
	ctx context.Context, b providers.Bucket, after string, size int64, emit func(Shard) error,
) error {
	c := newCutter(e, after, size)
	for o, err := range b.List(ctx, providers.ListOptions{After: after}) {
		if err != nil {
			return err
		}
		c.add(o)
		if !c.full() {
			continue
		}
		if err := emit(c.next(b, c.size)); err != nil {
			return err
		}
	}
	for len(c.ahead) > 0 {
		if err := emit(c.next(b, c.fair())); err != nil {
			return err
		}
	}
	return nil
}

const (
	// maxAhead is how many shards are listed before the first of them
	// is emitted: a listing of 8,000 keys takes under a second.
	maxAhead = 8
	// maxAheadBytes bounds the memory for keys and ETags listed ahead.
	maxAheadBytes = 4 << 20
	// minShard is how many objects a shard has at least, unless it is
	// the last one or size is smaller: a run reads about as many at
	// once, and they show whether all are denied (see minDenials).
	minShard = 32
)

// cutter holds the objects that are listed and not yet emitted.
type cutter struct {
	size, least, slots int
	after              string
	ahead              []providers.Object
	bytes              int // of their texts
}

func newCutter(e Env, after string, size int64) *cutter {
	n := int(max(size, 1))
	return &cutter{
		size:  n,
		least: min(n, minShard),
		slots: max(1, e.Slots),
		after: after,
	}
}

func (c *cutter) add(o providers.Object) {
	c.ahead = append(c.ahead, o)
	c.bytes += len(o.Key) + len(o.ETag)
}

// full reports whether so much is listed ahead that the next shard has
// the full size, however few objects follow.
func (c *cutter) full() bool {
	n := len(c.ahead)
	return n > c.size && (n > c.size*min(2*c.slots, maxAhead) || c.bytes > maxAheadBytes)
}

// fair returns how many objects the next shard has if no others follow:
// half of what is left for each slot.
func (c *cutter) fair() int {
	share := (len(c.ahead) + 2*c.slots - 1) / (2 * c.slots)
	return min(max(share, c.least), c.size)
}

// next takes the shard of the next n objects, or of all if there are
// fewer.
func (c *cutter) next(b providers.Bucket, n int) Shard {
	n = min(n, len(c.ahead))
	s := Shard{
		After: c.after, Through: c.ahead[n-1].Key, Objects: int64(n),
		More: n < len(c.ahead), Order: providers.OrderOf(b),
	}
	var packer listing.Packer
	for _, o := range c.ahead[:n] {
		packer.Add(o)
		c.bytes -= len(o.Key) + len(o.ETag)
	}
	s.Listing = packer.Pack()
	c.ahead = append([]providers.Object(nil), c.ahead[n:]...)
	c.after = s.Through
	return s
}
