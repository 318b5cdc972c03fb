package gcs

import (
	"context"
	"errors"
	"iter"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/gcs/client"
	"github.com/stevedore-jobs/stevedore/providers/limits"
)

const pageSize = 1000 // objects; the API's maximum

// listFields are the fields that a listing asks for. A short answer
// saves Google and the worker most of the work.
var listFields = []string{"Name", "Size", "Generation", "Updated"}

// List implements providers.Bucket.
func (b *bucket) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		l := driver.NewListing(opts, b.KnownOrder)
		// Read before the iterator is made, so that no change is
		// missed.
		paid := b.client.Pays()
		ctx, turn := limits.WithTurn(client.WithPages(ctx, l.Page))
		it := b.objects(ctx, opts)
		for !l.Done() {
			attrs, err := it.Next()
			turn.Leave()
			if errors.Is(err, iterator.Done) {
				return
			}
			// Only the first page can fail because of the project.
			if err != nil && !paid && b.client.PayAfter(err) {
				it, paid = b.objects(ctx, opts), true
				continue
			}
			if limits.IsTooMuch(err) && it.PageInfo().MaxSize == pageSize {
				it = b.shortPages(ctx, opts, it.PageInfo().Token)
				continue
			}

			wanted := false
			if err == nil {
				wanted, err = l.Take(objectOf(attrs))
			}
			if err != nil {
				yield(providers.Object{}, b.wrapError("list", "", err))
				return
			}
			if wanted && !yield(objectOf(attrs), nil) {
				return
			}
		}
	}
}

func (b *bucket) objects(
	ctx context.Context, opts providers.ListOptions,
) *storage.ObjectIterator {
	q := &storage.Query{
		Prefix: opts.Prefix, StartOffset: opts.After, Projection: storage.ProjectionNoACL,
	}
	// Without a selection, an answer has all fields.
	if err := q.SetAttrSelection(listFields); err != nil {
		q = &storage.Query{Prefix: opts.Prefix, StartOffset: opts.After}
	}
	it := b.client.Bucket().Objects(ctx, q)
	it.PageInfo().MaxSize = pageSize
	return it
}

// shortPages goes on with a listing at a token, in short pages.
func (b *bucket) shortPages(
	ctx context.Context, opts providers.ListOptions, token string,
) *storage.ObjectIterator {
	it := b.objects(ctx, opts)
	it.PageInfo().MaxSize, it.PageInfo().Token = driver.ShortPage, token
	return it
}
