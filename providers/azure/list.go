package azure

import (
	"context"
	"iter"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers"
)

// List implements providers.Bucket. A listing in another order than that of
// the keys gets an Invalid, because whoever reads a listing relies on the
// order.
func (b *bucket) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		if opts.After > opts.Prefix && !strings.HasPrefix(opts.After, opts.Prefix) {
			return // everything with the prefix comes before
		}
		pages := b.container.NewListBlobsFlatPager(listOptions(opts))
		for last := opts.After; pages.More(); {
			page, err := pages.NextPage(ctx)
			more := false
			if err == nil {
				last, more, err = yieldPage(page, opts, last, yield)
			}
			if err != nil {
				yield(providers.Object{}, b.fail("list", "", err))
				return
			}
			if !more {
				return
			}
		}
	}
}

// listOptions asks for metadata too: nothing else tells a directory's stub
// from an empty blob.
func listOptions(opts providers.ListOptions) *container.ListBlobsFlatOptions {
	o := &container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{Metadata: true}}
	if opts.Prefix != "" {
		o.Prefix = &opts.Prefix
	}
	// StartFrom is inclusive, some servers ignore it, and none promises
	// anything about one outside the prefix.
	if opts.After != "" && strings.HasPrefix(opts.After, opts.Prefix) {
		o.StartFrom = &opts.After
	}
	return o
}

// yieldPage yields a page's blobs and reports the last key, and whether the
// caller wants more. A page may be empty though more follow.
func yieldPage(page container.ListBlobsFlatResponse, opts providers.ListOptions, last string, yield func(providers.Object, error) bool) (string, bool, error) {
	if page.Segment == nil {
		return last, false, notListing()
	}
	for _, item := range page.Segment.BlobItems {
		switch {
		case item.Name == nil || item.Properties == nil:
			return last, false, notListing()
		case *item.Name < opts.After && opts.Direct:
			return last, false, notDirect()
		case *item.Name <= opts.After:
			continue
		case *item.Name <= last:
			return last, false, unordered()
		case opts.Through != "" && *item.Name > opts.Through:
			return last, false, nil
		}
		last = *item.Name
		if isFolder(item.Metadata) {
			continue
		}
		p := item.Properties
		if !yield(objectOf(last, p.ContentLength, p.ETag, p.LastModified), nil) {
			return last, false, nil
		}
	}
	return last, true, nil
}

func notListing() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "NotAzureBlob", Detail: "the answer is not a listing in the blob service's format",
		Fix: "Check that the endpoint is that of the blob service.",
	}
}

func notDirect() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "StartFromIgnored", Detail: "the server cannot start a listing at a key",
		Fix: "Use Azure Blob Storage itself, or list from the beginning.",
	}
}

func unordered() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "UnorderedListing", Detail: "the server does not list keys in their order",
		Fix: "Use an account without hierarchical namespace, or a prefix below which no directory's name starts another name.",
	}
}
