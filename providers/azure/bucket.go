package azure

import (
	"context"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/azure/client"
	"github.com/stevedore-jobs/stevedore/providers/azure/identity"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

var (
	_ providers.Bucket  = (*bucket)(nil)
	_ providers.Ordered = (*bucket)(nil)
)

type bucket struct {
	*driver.KnownOrder // implements providers.Ordered

	storage  tasks.Storage
	identity *identity.Identity
	client   *container.Client
	errors   azerror.Wrapper
}

// Stat implements providers.Bucket.
func (b *bucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	out, err := b.client.NewBlobClient(key).GetProperties(ctx, nil)
	if err == nil && client.IsFolder(out.Metadata) {
		err = azerror.FolderNotFound()
	}
	o := objectOf(key, out.ContentLength, out.ETag, out.LastModified)
	if err == nil {
		err = checkObject(o)
	}
	if err != nil {
		return providers.Object{}, b.wrapError("stat", key, err)
	}
	return o, nil
}

// Delete implements providers.Bucket. It deletes the blob's snapshots
// too, because Azure does not delete a blob that has some.
func (b *bucket) Delete(ctx context.Context, key string) error {
	include := blob.DeleteSnapshotsOptionTypeInclude
	_, err := b.client.NewBlobClient(key).Delete(ctx,
		&blob.DeleteOptions{DeleteSnapshots: &include})
	if err == nil {
		return nil
	}
	e := b.errors.Wrap("delete", key, err)
	if e.Code == azerror.CodeBlobNotFound {
		return nil
	}
	return e
}

// Close implements providers.Bucket. It does nothing: connections belong
// to the opener's client.
func (b *bucket) Close() error { return nil }

// wrapError makes the error of an operation; nil stays nil.
func (b *bucket) wrapError(op, key string, err error) error {
	if err == nil {
		return nil
	}
	return b.errors.Wrap(op, key, err)
}

func objectOf(key string, size *int64, etag *azcore.ETag, modified *time.Time) providers.Object {
	o := providers.Object{Key: key}
	if size != nil {
		o.Size = *size
	}
	if etag != nil { // with quotes in headers, without them in listings
		o.ETag = strings.Trim(string(*etag), `"`)
	}
	if modified != nil {
		o.ModTime = *modified
	}
	return o
}

// checkObject returns an error for an answer that describes no blob: the
// service always sends an ETag.
func checkObject(o providers.Object) error {
	if o.ETag == "" {
		return azerror.Lacks("ETag")
	}
	return driver.CheckObject(o)
}
