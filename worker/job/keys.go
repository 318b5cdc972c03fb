package job

import (
	"context"
	"slices"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Cut lists a bucket's objects after a key and cuts them into shards of size
// objects each, the last one perhaps smaller. The shards cover every key that
// was listed, with no gap and no overlap.
func Cut(ctx context.Context, b providers.Bucket, after string, size int64, emit func(Shard) error) error {
	next := Shard{After: after}
	for o, err := range b.List(ctx, providers.ListOptions{After: after}) {
		if err != nil {
			return err
		}
		next.Through = o.Key
		if next.Objects++; next.Objects < size {
			continue
		}
		if err := emit(next); err != nil {
			return err
		}
		next = Shard{After: o.Key}
	}
	if next.Objects == 0 {
		return nil
	}
	return emit(next)
}

// Listed is an object of a shard, or a key of Shard.Keys whose object the
// bucket does not give.
type Listed struct {
	providers.Object       // only its Key when Err is set
	Err              error // the bucket's, about this object alone: one that Fault takes
}

// List is the objects of a shard in key order, as the bucket has them now. A
// range is one listing, which stops at the last object rather than look at
// the next: that would cost a page more. Keys are asked for one by one,
// parallel at once.
func (s Shard) List(ctx context.Context, b providers.Bucket, parallel int) ([]Listed, error) {
	if s.Keys != nil {
		return s.stat(ctx, b, parallel)
	}
	var objects []Listed
	for o, err := range b.List(ctx, providers.ListOptions{After: s.After, Through: s.Through}) {
		if err != nil {
			return nil, err
		}
		if o.Key > s.Through {
			break
		}
		objects = append(objects, Listed{Object: o})
		if o.Key == s.Through {
			break
		}
	}
	return objects, nil
}

func (s Shard) stat(ctx context.Context, b providers.Bucket, parallel int) ([]Listed, error) {
	keys := slices.DeleteFunc(slices.Sorted(slices.Values(s.Keys)), func(key string) bool { return key <= s.After })
	keys = slices.Compact(keys) // in order and each once, as it must come out
	return Each(ctx, keys, parallel, func(ctx context.Context, key string) (Listed, error) {
		o, err := b.Stat(ctx, key)
		if err == nil {
			return Listed{Object: o}, nil
		}
		if _, ok := Fault(key, err); !ok {
			return Listed{}, err
		}
		return Listed{Object: providers.Object{Key: key}, Err: err}, nil
	})
}
