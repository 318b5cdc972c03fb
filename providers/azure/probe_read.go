package azure

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// sample is what a first look at the listing shows.
type sample struct {
	key      string // a blob worth reading; empty when there is none
	seen     int
	archived int
}

const (
	sampleSize  = 20
	samplePages = 3 // a page may be empty though more follow
)

// list asks for a first page with the storage's prefix. The container's
// properties would take rights that a SAS of a container cannot even have.
func (p *probe) list(ctx context.Context) tasks.Check {
	opts := listOptions(providers.ListOptions{Prefix: p.storage.Prefix})
	size := int32(sampleSize)
	opts.MaxResults = &size
	pages := p.container.NewListBlobsFlatPager(opts)
	for n := 0; n < samplePages && pages.More() && p.sample.seen == 0; n++ {
		page, err := pages.NextPage(ctx)
		if err == nil && page.Segment == nil {
			err = notListing()
		}
		if err != nil {
			return p.listFailed(ctx, p.fault("list", "", err))
		}
		p.sample.take(page.Segment.BlobItems)
	}
	return p.check("list", nil, "the container can be listed")
}

// take prefers a blob that can be read now and has content.
func (s *sample) take(items []*container.BlobItem) {
	found := -1
	for _, item := range items {
		if item.Name == nil || item.Properties == nil || isFolder(item.Metadata) {
			continue
		}
		s.seen++
		worth := 1
		switch tier := item.Properties.AccessTier; {
		case tier != nil && *tier == blob.AccessTierArchive:
			s.archived++
			worth = 0
		case item.Properties.ContentLength != nil && *item.Properties.ContentLength > 0:
			worth = 2
		}
		if worth > found {
			s.key, found = *item.Name, worth
		}
	}
}

// listFailed looks closer where the service is vague on purpose: a blob read
// tells a container whose blobs alone are public from one that is private or
// missing.
func (p *probe) listFailed(ctx context.Context, e *providers.Error) tasks.Check {
	c := p.check("list", e, "")
	if !p.access.anonymous() || e.Code != "ResourceNotFound" {
		return c
	}
	key := p.randomKey()
	if len(p.storage.Manifests) > 0 {
		key = p.storage.Manifests[0]
	}
	err := p.readByte(ctx, key)
	if err == nil || p.fault("get", key, err).Code == "BlobNotFound" {
		c.Code = "BlobLevelAccess"
		c.Evidence = strings.TrimSuffix(c.Evidence, ".") + "; but blobs can be read: only they are public, not the container's listing"
		c.Fix = fmt.Sprintf("Set the anonymous access level to Container (az storage container set-permission --account-name %s --name %s --public-access container), or use method sas with r (Read) and l (List).", p.account(), p.storage.Bucket)
		return c
	}
	c.Fix = fmt.Sprintf("The container is private, missing, or misspelt; the service tells anonymous callers no more: check account and bucket, make it public (az storage container set-permission --account-name %s --name %s --public-access container), or use method sas.", p.account(), p.storage.Bucket)
	return c
}

// read reads one byte of a blob. Without one it asks for a key that does not
// exist: who may read is told so.
func (p *probe) read(ctx context.Context) tasks.Check {
	key := p.sample.key
	existing := key != ""
	if !existing {
		key = p.randomKey()
	}
	err := p.readByte(ctx, key)
	if err == nil {
		p.read1 = true
		return p.archiveWarning(tasks.Check{ID: "read", Status: tasks.CheckOK, Evidence: "read a byte of " + key})
	}
	e := p.fault("get", key, err)
	switch {
	case e.Status == http.StatusRequestedRangeNotSatisfiable:
		return p.archiveWarning(tasks.Check{ID: "read", Status: tasks.CheckOK, Evidence: "read " + key + ", which is empty"})
	case !existing && e.Code == "BlobNotFound":
		return tasks.Check{ID: "read", Status: tasks.CheckOK, Evidence: "there is no blob to read; reading one would be allowed"}
	}
	return p.check("read", e, "")
}

func (p *probe) archiveWarning(c tasks.Check) tasks.Check {
	if p.sample.archived > 0 {
		c.Status, c.Code = tasks.CheckWarn, "BlobArchived"
		c.Evidence = fmt.Sprintf("%s; but of the first %d blobs %d are archived", c.Evidence, p.sample.seen, p.sample.archived)
		c.Fix = p.advice(&providers.Error{Code: "BlobArchived"})
	}
	return c
}

func (p *probe) readByte(ctx context.Context, key string) error {
	out, err := p.container.NewBlobClient(key).DownloadStream(ctx, &blob.DownloadStreamOptions{Range: blob.HTTPRange{Count: 1}})
	if err != nil {
		return err
	}
	if out.EncryptionScope != nil {
		p.scope = *out.EncryptionScope
	}
	return out.Body.Close()
}

// versions lists old versions too. An account that keeps none gives its blobs
// no version.
func (p *probe) versions(ctx context.Context) tasks.Check {
	opts := listOptions(providers.ListOptions{Prefix: p.storage.Prefix})
	one := int32(1)
	opts.MaxResults, opts.Include.Versions = &one, true
	page, err := p.container.NewListBlobsFlatPager(opts).NextPage(ctx)
	if err == nil && page.Segment == nil {
		err = notListing()
	}
	if err != nil {
		return p.check("versions", p.fault("list", "", err), "")
	}
	if items := page.Segment.BlobItems; len(items) > 0 && items[0].VersionID == nil {
		return tasks.Check{
			ID: "versions", Status: tasks.CheckWarn, Code: "VersioningDisabled", Evidence: "old versions can be listed, but the account keeps none",
			Fix: fmt.Sprintf("Switch versioning on: az storage account blob-service-properties update --account-name %s --enable-versioning true.", p.account()),
		}
	}
	return p.check("versions", nil, "old versions can be listed")
}

// kms follows from reading: the service itself fetches the customer's key
// from Key Vault, for reads as for writes, and takes no right of the caller's
// for it.
func (p *probe) kms(context.Context) tasks.Check {
	switch {
	case !p.read1:
		return tasks.Check{ID: "kms", Status: tasks.CheckUnknown, Evidence: "there is no blob with content whose key could be tried"}
	case p.scope != "":
		return p.check("kms", nil, fmt.Sprintf("a blob of encryption scope %q was decrypted", driver.Printable(p.scope)))
	}
	return p.check("kms", nil, "a blob was decrypted with the account's key; the service fetches it by itself")
}
