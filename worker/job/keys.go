package job

import (
	"context"
	"iter"

	"golang.org/x/sync/errgroup"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Cut lists a bucket's objects after a key and cuts them into shards of size objects each, the last one perhaps smaller.
// The shards cover every key that was listed, with no gap and no overlap.
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

// List yields the objects of a shard, as the bucket has them now. It stops at the last one rather than look at the next,
// which would cost a page more.
func (s Shard) List(ctx context.Context, b providers.Bucket) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		for o, err := range b.List(ctx, providers.ListOptions{After: s.After, Through: s.Through}) {
			if err == nil && o.Key > s.Through {
				return
			}
			if !yield(o, err) || err != nil || o.Key == s.Through {
				return
			}
		}
	}
}

// Each calls do for every item, at most n at once (one when n is less), and returns the results in the order of the items.
// The first error, or panic, ends the rest and is returned; do must then give up when its ctx ends.
func Each[T, R any](ctx context.Context, items []T, n int, do func(context.Context, T) (R, error)) ([]R, error) {
	results := make([]R, len(items))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(max(n, 1))
	for i, item := range items {
		if inner.Err() != nil {
			break
		}
		group.Go(func() error {
			return Guard(func() (err error) {
				results[i], err = do(inner, item)
				return err
			})
		})
	}
	err := group.Wait()
	if ended := context.Cause(ctx); ended != nil {
		return results, ended
	}
	return results, err
}
