package gcs

import (
	"context"
	"errors"
	"iter"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"github.com/stevedore-jobs/stevedore/providers"
)

const pageSize = 1000 // objects; the API's maximum

// listFields are the fields that a listing asks for. A short answer saves
// Google and the worker most of the work.
var listFields = []string{"Name", "Size", "Generation", "Updated"}

// List implements providers.Bucket. If the server does not list in
// ascending order of keys, List yields an Invalid error: callers rely on
// the order.
func (b *bucket) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		// Read before the iterator is made, so that no change is missed.
		paid := b.client.Pays()
		it := b.objects(ctx, opts)
		last := opts.After
		for {
			attrs, err := it.Next()
			if errors.Is(err, iterator.Done) {
				return
			}
			// Only the first page can fail because of the project.
			if err != nil && !paid && b.client.PayAfter(err) {
				it, paid = b.objects(ctx, opts), true
				continue
			}

			skip := false
			if err == nil {
				skip, err = checkOrder(attrs.Name, last, opts)
			}
			switch {
			case err != nil:
				yield(providers.Object{}, b.wrapError("list", "", err))
				return
			case skip:
				continue
			case opts.Through != "" && attrs.Name > opts.Through:
				return
			}
			last = attrs.Name
			if !yield(objectOf(attrs), nil) {
				return
			}
		}
	}
}

// checkOrder returns an error for a key that does not follow the last
// one. skip is true for a key that comes before the start of the listing:
// the API starts at opts.After itself, and some servers do not know a
// start.
func checkOrder(key, last string, opts providers.ListOptions) (skip bool, err error) {
	switch {
	case opts.After != "" && key <= opts.After:
		if opts.Direct && key < opts.After {
			return false, noOffset()
		}
		return true, nil
	case key <= last:
		return false, unordered()
	}
	return false, nil
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

func unordered() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "UnorderedListing",
		Detail: "the server does not list keys in their order",
		Fix:    "Use Google Cloud Storage itself, or a server that lists as it does.",
	}
}

func noOffset() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "NoStartOffset",
		Detail: "the server does not start a listing where it is asked to",
	}
}
