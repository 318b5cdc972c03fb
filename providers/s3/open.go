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
func (b *bucket) Open(
	ctx context.Context, key string, opts providers.ReadOptions,
) (*providers.Reader, error) {
	if opts.Offset < 0 || opts.Length < 0 {
		return nil, b.wrapError("get", key, driver.InvalidRange(opts))
	}
	out, err := b.client.GetObject(ctx, &sdk.GetObjectInput{
		Bucket:  b.client.Bucket(),
		Key:     aws.String(key),
		Range:   rangeHeader(opts),
		IfMatch: quote(opts.IfMatch),
	})
	if err != nil {
		refused := b.readError(ctx, "get", key, err)
		return driver.OpenEmpty(ctx, b, key, refused)
	}

	o := objectOf(key, nil, out.ETag, out.LastModified)
	if err := checkObject(o); err != nil {
		_ = out.Body.Close()
		return nil, b.wrapError("get", key, err)
	}
	answer := driver.Answer{
		Body: out.Body, Object: o, Length: out.ContentLength, Range: out.ContentRange,
	}
	fail := func(err error) error { return b.wrapError("get", key, err) }
	r, err := answer.NewReader(opts, fail)
	return r, fail(err)
}

// rangeHeader returns the header that asks for a part; nil asks for
// everything.
func rangeHeader(opts providers.ReadOptions) *string {
	switch {
	case opts.Offset == 0 && opts.Length == 0:
		return nil
	case opts.Length == 0:
		return aws.String(fmt.Sprintf("bytes=%d-", opts.Offset))
	}
	return aws.String(fmt.Sprintf("bytes=%d-%d", opts.Offset, opts.Offset+opts.Length-1))
}
