package s3

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// Open implements providers.Bucket.
func (b *bucket) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	if opts.Offset < 0 || opts.Length < 0 {
		return nil, b.fail("get", key, driver.InvalidRange(opts))
	}
	out, err := b.get(ctx, &sdk.GetObjectInput{
		Bucket: b.name(), Key: aws.String(key), Range: rangeOf(opts), IfMatch: quoted(opts.IfMatch),
	})
	if err != nil {
		return driver.OpenEmpty(ctx, b, key, b.absent(ctx, key, b.fault("get", key, err)))
	}
	fail := func(err error) error { return b.fail("get", key, err) }
	o := objectOf(key, nil, out.ETag, out.LastModified)
	if o.ETag == "" {
		_ = out.Body.Close()
		return nil, fail(notS3("ETag"))
	}
	r, err := driver.Answer{Body: out.Body, Object: o, Length: out.ContentLength, Range: out.ContentRange}.NewReader(opts, fail)
	return r, fail(err)
}

func (b *bucket) get(ctx context.Context, in *sdk.GetObjectInput, opts ...func(*sdk.Options)) (*sdk.GetObjectOutput, error) {
	return call(ctx, b, func(api *sdk.Client) (*sdk.GetObjectOutput, error) { return api.GetObject(ctx, in, opts...) })
}

// rangeOf is the header that asks for a part; nil asks for everything.
func rangeOf(opts providers.ReadOptions) *string {
	switch {
	case opts.Offset == 0 && opts.Length == 0:
		return nil
	case opts.Length == 0:
		return aws.String(fmt.Sprintf("bytes=%d-", opts.Offset))
	}
	return aws.String(fmt.Sprintf("bytes=%d-%d", opts.Offset, opts.Offset+opts.Length-1))
}
