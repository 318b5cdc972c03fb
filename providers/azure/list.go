package azure

import (
	"context"
	"iter"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/azure/client"
)

// List implements providers.Bucket. If the server does not list in
// ascending order of keys, List yields an Invalid error: callers rely on
// the order.
func (b *bucket) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		if opts.After > opts.Prefix && !strings.HasPrefix(opts.After, opts.Prefix) {
			return // all keys with the prefix come before opts.After
		}
		l := listing{opts: opts, last: opts.After, yield: yield}
		pages := b.client.NewListBlobsFlatPager(listOptions(opts))
		for pages.More() && !l.ended {
			page, err := pages.NextPage(ctx)
			if err == nil {
				err = l.yieldPage(page)
			}
			if err != nil {
				yield(providers.Object{}, b.wrapError("list", "", err))
				return
			}
		}
	}
}

func listOptions(opts providers.ListOptions) *container.ListBlobsFlatOptions {
	o := client.ListOptions(opts.Prefix)
	// StartFrom includes its key, and some servers ignore it. What a
	// start outside of the prefix means is not documented.
	if opts.After != "" && strings.HasPrefix(opts.After, opts.Prefix) {
		o.StartFrom = &opts.After
	}
	return o
}

// listing is one List under way.
type listing struct {
	opts  providers.ListOptions
	last  string // the last key that was seen
	ended bool   // no more pages are needed
	yield func(providers.Object, error) bool
}

// yieldPage yields the objects of a page. It sets ended when the caller
// wants no more. A page may be empty though more follow.
func (l *listing) yieldPage(page container.ListBlobsFlatResponse) error {
	if page.Segment == nil {
		return azerror.NotListing()
	}
	for _, item := range page.Segment.BlobItems {
		if item.Name == nil || item.Properties == nil {
			return azerror.NotListing()
		}
		key := *item.Name
		switch {
		case key < l.opts.After && l.opts.Direct:
			return notDirect()
		case key <= l.opts.After:
			continue
		case key <= l.last:
			return unordered()
		case l.opts.Through != "" && key > l.opts.Through:
			l.ended = true
			return nil
		}

		l.last = key
		if client.IsFolder(item.Metadata) {
			continue
		}
		p := item.Properties
		if !l.yield(objectOf(key, p.ContentLength, p.ETag, p.LastModified), nil) {
			l.ended = true
			return nil
		}
	}
	return nil
}

func notDirect() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "StartFromIgnored",
		Detail: "the server cannot start a listing at a key",
		Fix:    "Use Azure Blob Storage itself, or list from the beginning.",
	}
}

func unordered() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "UnorderedListing",
		Detail: "the server does not list keys in their order",
		Fix: "Use an account without hierarchical namespace, or a prefix below which " +
			"no directory's name starts another name.",
	}
}
