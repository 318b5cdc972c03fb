package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
)

// Stat implements providers.Bucket. It makes a HEAD. The answer to a
// HEAD has no body, so it never says what is wrong with a region, a key
// or a right. When one of these may be wrong, Stat also makes a GET,
// whose answer says it.
func (b *bucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	o, err := b.head(ctx, key)
	if kind := providers.KindOf(err); kind != providers.Denied && kind != providers.Invalid {
		return o, err
	}

	region := b.client.Region()
	refused := b.readByte(ctx, key)
	if b.client.Region() != region { // the answer named the bucket's region
		if o, err := b.head(ctx, key); err == nil {
			return o, nil
		}
	}
	if refused != nil {
		return providers.Object{}, b.readError(ctx, "stat", key, refused)
	}
	return o, err
}

func (b *bucket) head(ctx context.Context, key string) (providers.Object, error) {
	in := &sdk.HeadObjectInput{Bucket: b.client.Bucket(), Key: aws.String(key)}
	out, err := client.Call(ctx, b.client, func(api *sdk.Client) (*sdk.HeadObjectOutput, error) {
		return api.HeadObject(ctx, in)
	})
	if err != nil {
		return providers.Object{}, b.wrapError("stat", key, err)
	}
	o := objectOf(key, out.ContentLength, out.ETag, out.LastModified)
	return o, b.wrapError("stat", key, checkObject(o))
}

// readByte reads the first byte of an object, to see whether that is
// allowed. Its error is the SDK's.
func (b *bucket) readByte(ctx context.Context, key string) error {
	out, err := b.client.GetObject(ctx, &sdk.GetObjectInput{
		Bucket: b.client.Bucket(), Key: aws.String(key), Range: aws.String("bytes=0-0"),
	})
	if err != nil {
		return err
	}
	_ = out.Body.Close()
	return nil
}

// readError makes the error of a failed read. If the read was denied,
// it makes a listing to find out whether the key exists at all:
// credentials that may list only a prefix (condition s3:prefix) get
// AccessDenied for a missing key, because a GET carries no prefix.
func (b *bucket) readError(ctx context.Context, op, key string, err error) *providers.Error {
	e := b.errors.Wrap(op, key, err)
	isDenied := e.Kind == providers.Denied && e.Op == op // else the role was denied
	if isDenied && b.isAbsent(ctx, key) {
		return &providers.Error{
			Op: op, Bucket: e.Bucket, Key: key, Kind: providers.NotFound, Code: "NoSuchKey",
			Status: e.Status, RequestID: e.RequestID, Detail: "the listing has no such key",
		}
	}
	return e
}

// isAbsent reports whether a listing shows that a key does not exist.
// A directory bucket cannot list a single key.
func (b *bucket) isAbsent(ctx context.Context, key string) bool {
	if b.client.ListsDirectories() {
		return false
	}
	in := b.client.ListInput(providers.ListOptions{Prefix: key})
	in.MaxKeys = aws.Int32(1)
	page, err := b.client.ListPage(ctx, in)
	if err != nil {
		return false
	}
	for _, o := range page.Contents {
		if aws.ToString(o.Key) == key {
			return false
		}
	}
	return true
}
