package probe

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/azure/client"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	maxSample      = 20 // blobs in a page
	maxSamplePages = 3  // a page may be empty though more follow
)

// sample holds what the first page of the listing shows.
type sample struct {
	key      string // of a blob to read; empty without blobs
	blobs    int
	archived int
}

// list checks whether blobs can be listed under the storage's prefix. It
// does not ask for the container's properties, because a SAS of a
// container cannot have the right to them.
func (p *probe) list(ctx context.Context) tasks.Check {
	opts := client.ListOptions(p.Storage.Prefix)
	size := int32(maxSample)
	opts.MaxResults = &size
	pages := p.Client.NewListBlobsFlatPager(opts)
	for n := 0; n < maxSamplePages && pages.More() && p.sample.blobs == 0; n++ {
		page, err := pages.NextPage(ctx)
		if err == nil && page.Segment == nil {
			err = azerror.NotListing()
		}
		if err != nil {
			return p.listFailed(ctx, p.Errors.Wrap("list", "", err))
		}
		p.sample.add(page.Segment.BlobItems)
	}
	return check.OK("the container can be listed")
}

// add counts the blobs of a page, and chooses one to read: best one that
// is not archived and has content.
func (s *sample) add(items []*container.BlobItem) {
	best := -1
	for _, item := range items {
		if item.Name == nil || item.Properties == nil || client.IsFolder(item.Metadata) {
			continue
		}
		s.blobs++
		worth := 1
		switch tier, size := item.Properties.AccessTier, item.Properties.ContentLength; {
		case tier != nil && *tier == blob.AccessTierArchive:
			s.archived++
			worth = 0
		case size != nil && *size > 0:
			worth = 2
		}
		if worth > best {
			s.key, best = *item.Name, worth
		}
	}
}

// listFailed makes the result of a listing that failed. To anonymous
// callers the service gives one answer for three faults. So listFailed
// reads a blob, which shows whether only the blobs are public and not
// their listing.
func (p *probe) listFailed(ctx context.Context, e *providers.Error) tasks.Check {
	c := check.FailError(e)
	if p.Identity.Kind() != azerror.Anonymous || e.Code != "ResourceNotFound" {
		return c
	}

	key := check.RandomKey(p.Storage)
	if len(p.Storage.Manifests) > 0 {
		key = p.Storage.Manifests[0]
	}
	publish := fmt.Sprintf("az storage container set-permission "+
		"--account-name %s --name %s --public-access container",
		p.Identity.Account(), p.Storage.Bucket)
	err := p.readByte(ctx, key)
	if err == nil || p.Errors.Wrap("get", key, err).Code == azerror.CodeBlobNotFound {
		return check.Fail("BlobLevelAccess",
			strings.TrimSuffix(c.Evidence, ".")+"; but blobs can be read: "+
				"only they are public, not the container's listing",
			"Set the anonymous access level to Container ("+publish+"), "+
				"or use method sas with r (Read) and l (List).")
	}
	c.Fix = "The container is private, missing, or misspelt; " +
		"the service does not tell anonymous callers which: check account and bucket, " +
		"make it public (" + publish + "), or use method sas."
	return c
}

// versions checks whether old versions can be listed. Blobs of an account
// that keeps no versions have no version ID.
func (p *probe) versions(ctx context.Context) tasks.Check {
	opts := client.ListOptions(p.Storage.Prefix)
	one := int32(1)
	opts.MaxResults, opts.Include.Versions = &one, true
	page, err := p.Client.NewListBlobsFlatPager(opts).NextPage(ctx)
	if err == nil && page.Segment == nil {
		err = azerror.NotListing()
	}
	if err != nil {
		return check.FailError(p.Errors.Wrap("list", "", err))
	}
	if items := page.Segment.BlobItems; len(items) > 0 && items[0].VersionID == nil {
		return check.Warn("VersioningDisabled",
			"old versions can be listed, but the account keeps none",
			fmt.Sprintf("Switch versioning on: "+
				"az storage account blob-service-properties update "+
				"--account-name %s --enable-versioning true.", p.Identity.Account()))
	}
	return check.OK("old versions can be listed")
}
