package job

import (
	"context"
	"fmt"
	"slices"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/worker/job/listing"
)

// ListedObject is an object of a shard, or a key of Shard.Keys that the
// bucket refused.
type ListedObject struct {
	providers.Object       // only Key is set if Err is
	Err              error // the bucket's; AsObjectError accepts it
}

// List returns the objects of a shard: a range in the order in which
// the bucket lists, and Keys in the order of code points.
//
// A range with a Listing takes no request. Its objects are those of
// the time when it was planned, and only their Key, Size and ETag are
// set. Any other range takes one listing, which stops at the last
// object of the range: to look one further could cost another page.
// Keys take one request each, parallel at once. List fails if the range
// holds far more objects than when it was planned, because it returns
// them in memory.
func (s Shard) List(
	ctx context.Context, b providers.Bucket, parallel int,
) ([]ListedObject, error) {
	if s.Keys != nil {
		return s.stat(ctx, b, parallel)
	}
	if len(s.Listing) > 0 {
		return s.unpack()
	}
	var objects []ListedObject
	opts := providers.ListOptions{After: s.After, Through: s.Through, Order: s.Order}
	for o, err := range b.List(ctx, opts) {
		if err != nil {
			return nil, err
		}
		if s.Order.Before(s.Through, o.Key) {
			break
		}
		if int64(len(objects)) >= max(minRange, growth*s.Objects) {
			return nil, s.tooMany()
		}
		objects = append(objects, ListedObject{Object: o})
		if o.Key == s.Through {
			break
		}
	}
	return objects, nil
}

// unpack returns the objects of the Listing after After.
func (s Shard) unpack() ([]ListedObject, error) {
	listed, err := listing.Unpack(s.Listing)
	if err != nil {
		return nil, fmt.Errorf("the shard through %q: %w", s.Through, err)
	}
	objects := make([]ListedObject, 0, len(listed))
	for _, o := range listed {
		objects = append(objects, ListedObject{Object: o})
		if o.Key == s.After { // a run has stored what comes before
			objects = objects[:0]
		}
	}
	return objects, nil
}

// A range holds more objects than when it was planned if many were
// added since. More than this is no bucket that people use.
const (
	minRange = 100_000 // objects
	growth   = 100     // times the objects that were planned
)

func (s Shard) tooMany() error {
	return &providers.Error{
		Op: "list", Kind: providers.Invalid, Code: "TooManyObjects",
		Detail: fmt.Sprintf("from %.200q to %.200q the bucket lists more than %d objects; "+
			"there were %d when the job was planned",
			s.After, s.Through, max(minRange, growth*s.Objects), s.Objects),
		Fix: "Enqueue the job anew.",
	}
}

// KnownOrder returns the orders that fit the bucket of the shard: what
// was known when the shard was planned, and what b has found out.
func (s Shard) KnownOrder(b providers.Bucket) keyorder.Order {
	known := providers.OrderOf(b)
	if s.Order&known == 0 { // the bucket has changed
		return known
	}
	return s.Order & known
}

// stat asks for each of the shard's keys after After, in order and
// once.
func (s Shard) stat(
	ctx context.Context, b providers.Bucket, parallel int,
) ([]ListedObject, error) {
	keys := slices.SortedFunc(slices.Values(s.Keys), keyorder.Bytes.Compare)
	keys = slices.DeleteFunc(keys, func(key string) bool {
		return !keyorder.Bytes.Before(s.After, key)
	})
	keys = slices.Compact(keys)
	return Each(ctx, keys, parallel, func(ctx context.Context, key string) (ListedObject, error) {
		o, err := b.Stat(ctx, key)
		if err == nil {
			return ListedObject{Object: o}, nil
		}
		if _, ok := AsObjectError(key, err); !ok {
			return ListedObject{}, err
		}
		return ListedObject{Object: providers.Object{Key: key}, Err: err}, nil
	})
}
