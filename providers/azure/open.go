package azure

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/azure/client"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// Open implements providers.Bucket.
func (b *bucket) Open(
	ctx context.Context, key string, opts providers.ReadOptions,
) (*providers.Reader, error) {
	fail := func(err error) error { return b.wrapError("get", key, err) }
	if opts.Offset < 0 || opts.Length < 0 {
		return nil, fail(driver.InvalidRange(opts))
	}
	out, err := b.client.NewBlobClient(key).DownloadStream(ctx, &blob.DownloadStreamOptions{
		Range:            blob.HTTPRange{Offset: opts.Offset, Count: opts.Length},
		AccessConditions: client.IfMatch(opts.IfMatch),
	})
	if err != nil {
		return driver.OpenEmpty(ctx, b, key, fail(err))
	}
	if client.IsFolder(out.Metadata) {
		_ = out.Body.Close()
		return nil, fail(azerror.FolderNotFound())
	}
	o := objectOf(key, nil, out.ETag, out.LastModified)
	if err := checkObject(o); err != nil {
		_ = out.Body.Close()
		return nil, fail(err)
	}

	answer := driver.Answer{
		Body: out.Body, Object: o, Length: out.ContentLength, Range: out.ContentRange,
	}
	r, err := answer.NewReader(opts, fail)
	return r, fail(err)
}
