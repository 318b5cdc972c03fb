package memtest

import (
	"context"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Counting counts the objects that are taken from the listings of a
// bucket. It is not safe for concurrent use.
type Counting struct {
	providers.Bucket
	Objects int
}

// Unwrap lets providers.As look further.
func (b *Counting) Unwrap() providers.Bucket { return b.Bucket }

// List implements providers.Bucket.
func (b *Counting) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		for o, err := range b.Bucket.List(ctx, opts) {
			b.Objects++
			if !yield(o, err) {
				return
			}
		}
	}
}
