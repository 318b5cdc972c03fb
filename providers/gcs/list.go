package gcs

import (
	"context"
	"errors"
	"iter"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"github.com/stevedore-jobs/stevedore/providers"
)

const pageSize = 1000 // objects; the most that the API gives at once

// fields are what a listing asks for: naming them saves Google and the worker
// most of the work.
var fields = []string{"Name", "Size", "Generation", "Updated"}

// List implements providers.Bucket. A server that lists in another order than
// that of the keys gets an Invalid, because whoever reads a listing relies on
// the order.
func (b *bucket) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		last, paid := opts.After, b.pays.Load() // before it is used, or a change in between is missed
		it := b.objects(ctx, opts)
		for {
			attrs, err := it.Next()
			switch {
			case errors.Is(err, iterator.Done):
				return
			case err != nil && !paid && b.mustPay(err): // only the first page can fail so
				it, paid = b.objects(ctx, opts), true
				continue
			case err != nil:
			case opts.After != "" && attrs.Name <= opts.After: // StartOffset includes its key, and some servers do not know it
				if !opts.Direct || attrs.Name == opts.After {
					continue
				}
				err = noOffset()
			case attrs.Name <= last:
				err = unordered()
			case opts.Through != "" && attrs.Name > opts.Through:
				return
			}
			if err != nil {
				yield(providers.Object{}, b.fault("list", "", err))
				return
			}
			if last = attrs.Name; !yield(objectOf(attrs), nil) {
				return
			}
		}
	}
}

func (b *bucket) objects(ctx context.Context, opts providers.ListOptions) *storage.ObjectIterator {
	q := &storage.Query{Prefix: opts.Prefix, StartOffset: opts.After, Projection: storage.ProjectionNoACL}
	if err := q.SetAttrSelection(fields); err != nil {
		q = &storage.Query{Prefix: opts.Prefix, StartOffset: opts.After} // without a selection everything is told
	}
	it := b.handle().Objects(ctx, q)
	it.PageInfo().MaxSize = pageSize
	return it
}

func unordered() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "UnorderedListing", Detail: "the server does not list keys in their order",
		Fix: "Use Google Cloud Storage itself, or a server that lists as it does.",
	}
}

func noOffset() error {
	return &providers.Error{Kind: providers.Invalid, Code: "NoStartOffset", Detail: "the server does not start a listing where it is asked to"}
}
