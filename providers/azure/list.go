package azure

import (
	"context"
	"iter"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/azure/client"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/limits"
)

// List implements providers.Bucket.
func (b *bucket) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		l := listing{Listing: driver.NewListing(opts, b.KnownOrder), yield: yield}
		l.InCharacters = true // "Naming and Referencing Containers, Blobs, and Metadata"
		if err := l.pages(ctx, b.client, opts); err != nil {
			yield(providers.Object{}, b.wrapError("list", "", err))
		}
	}
}

// listing is one call of List.
type listing struct {
	*driver.Listing
	yield  func(providers.Object, error) bool
	marker *string // of the next page
}

func (l *listing) pages(
	ctx context.Context, c *container.Client, opts providers.ListOptions,
) error {
	asked := listOptions(opts)
	ctx, turn := limits.WithTurn(ctx)
	pages := c.NewListBlobsFlatPager(asked)
	for more := !l.Done(); more && pages.More(); {
		page, err := pages.NextPage(ctx)
		turn.Leave()
		if limits.IsTooMuch(err) && asked.MaxResults == nil {
			asked.MaxResults, asked.Marker = to.Ptr[int32](driver.ShortPage), l.marker
			pages = c.NewListBlobsFlatPager(asked)
			continue
		}
		if err == nil {
			more, err = l.yieldPage(page)
		}
		if err != nil {
			return err
		}
		if prefix, ok := l.Restart(opts.Prefix); ok {
			opts.Prefix = prefix
			asked, l.marker = listOptions(opts), nil
			pages = c.NewListBlobsFlatPager(asked)
		}
	}
	return nil
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

// yieldPage yields the objects of a page that belong to the listing. It
// reports whether the caller wants more. A page may be empty though
// more follow.
func (l *listing) yieldPage(page container.ListBlobsFlatResponse) (more bool, err error) {
	if page.Segment == nil {
		return false, azerror.NotListing()
	}
	l.marker = page.NextMarker
	next := ""
	if l.marker != nil {
		next = *l.marker
	}
	if err := l.Page(len(page.Segment.BlobItems), next); err != nil {
		return false, err
	}
	for _, item := range page.Segment.BlobItems {
		if item == nil || item.Name == nil || item.Properties == nil {
			return false, azerror.NotListing()
		}
		p := item.Properties
		object := objectOf(*item.Name, p.ContentLength, p.ETag, p.LastModified)
		wanted, err := l.Take(object)
		if err != nil {
			return false, err
		}
		wanted = wanted && !client.IsFolder(item.Metadata)
		if wanted && !l.yield(object, nil) || l.Done() {
			return false, nil
		}
	}
	return true, nil
}
