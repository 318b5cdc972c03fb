package azure

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// Open implements providers.Bucket.
func (b *bucket) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	if opts.Offset < 0 || opts.Length < 0 {
		return nil, b.fail("get", key, driver.InvalidRange(opts))
	}
	out, err := b.container.NewBlobClient(key).DownloadStream(ctx, &blob.DownloadStreamOptions{
		Range: blob.HTTPRange{Offset: opts.Offset, Count: opts.Length}, AccessConditions: ifMatch(opts.IfMatch),
	})
	if err != nil {
		return driver.OpenEmpty(ctx, b, key, b.fail("get", key, err))
	}
	fail := func(err error) error { return b.fail("get", key, err) }
	if isFolder(out.Metadata) {
		_ = out.Body.Close()
		return nil, fail(folderNotFound())
	}
	o := objectOf(key, nil, out.ETag, out.LastModified)
	r, err := driver.Answer{Body: out.Body, Object: o, Length: out.ContentLength, Range: out.ContentRange}.NewReader(opts, fail)
	return r, fail(err)
}
