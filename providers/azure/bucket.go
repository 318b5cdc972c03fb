package azure

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
)

type bucket struct {
	storage   tasks.Storage
	access    access
	container *container.Client
}

var (
	_ providers.Opener  = (*Opener)(nil)
	_ providers.Bucket  = (*bucket)(nil)
	_ providers.Prober  = (*bucket)(nil)
	_ providers.Located = (*bucket)(nil)
)

// Endpoint is the base URL that requests go to. It holds no SAS.
func (b *bucket) Endpoint() string { return b.access.service }

// CORSTarget is a URL below which a browser would ask for blobs: the service
// judges a preflight without looking whether there is a blob and who asks
// ("Preflight Blob Request"). It holds no SAS.
func (b *bucket) CORSTarget() string {
	return b.access.service + "/" + url.PathEscape(b.storage.Bucket) + "/stevedore-preflight"
}

// CORSAdvice tells how to add a CORS rule that allows what want asks for.
func (b *bucket) CORSAdvice(want tasks.CORS) string { return policy.AzureCORS(b.storage.Account, want) }

// SignIn is where a service principal's tokens come from.
func (b *bucket) SignIn() providers.SignIn { return b.access.signIn }

// Stat implements providers.Bucket.
func (b *bucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	out, err := b.container.NewBlobClient(key).GetProperties(ctx, nil)
	if err == nil && isFolder(out.Metadata) {
		err = folderNotFound()
	}
	if err != nil {
		return providers.Object{}, b.fail("stat", key, err)
	}
	return objectOf(key, out.ContentLength, out.ETag, out.LastModified), nil
}

// Delete implements providers.Bucket. Snapshots go with the blob, because it
// could not be deleted without them.
func (b *bucket) Delete(ctx context.Context, key string) error {
	include := blob.DeleteSnapshotsOptionTypeInclude
	_, err := b.container.NewBlobClient(key).Delete(ctx, &blob.DeleteOptions{DeleteSnapshots: &include})
	if err == nil {
		return nil
	}
	if e := b.fault("delete", key, err); e.Code != "BlobNotFound" {
		return e
	}
	return nil
}

// Close implements providers.Bucket. Connections belong to the opener's
// client.
func (b *bucket) Close() error { return nil }

// fail makes the *providers.Error of an operation; nil stays nil.
func (b *bucket) fail(op, key string, err error) error {
	if err == nil {
		return nil
	}
	return b.fault(op, key, err)
}

// fault classifies an error and hides in it everything that must not be
// shown.
func (b *bucket) fault(op, key string, err error) *providers.Error {
	e := classify(err)
	e.Op, e.Bucket, e.Key = op, b.storage.Bucket, key
	if strings.HasPrefix(e.Code, "Container") {
		e.Key = ""
	}
	if e.Fix == "" {
		e.Fix = b.advice(e)
	}
	redact(e, b.access.secrets())
	return e
}

func objectOf(key string, size *int64, etag *azcore.ETag, modified *time.Time) providers.Object {
	o := providers.Object{Key: key}
	if size != nil {
		o.Size = *size
	}
	if etag != nil {
		o.ETag = strings.Trim(string(*etag), `"`) // listings have it without quotes, headers with them
	}
	if modified != nil {
		o.ModTime = *modified
	}
	return o
}

// ifMatch makes the condition that a blob has an ETag; nil for none.
func ifMatch(etag string) *blob.AccessConditions {
	if etag == "" {
		return nil
	}
	quoted := azcore.ETag(`"` + etag + `"`)
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &quoted}}
}

// isFolder recognises the empty blobs that stand for directories where an
// account has them ("hierarchical namespace"), and that some tools make
// elsewhere.
func isFolder(metadata map[string]*string) bool {
	for name, value := range metadata {
		if strings.EqualFold(name, "hdi_isfolder") && value != nil && strings.EqualFold(*value, "true") {
			return true
		}
	}
	return false
}

func folderNotFound() error {
	return &providers.Error{Kind: providers.NotFound, Code: "BlobNotFound", Detail: "there is only a directory of this name"}
}
