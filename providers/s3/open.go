package s3

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/providers/s3/fastread"
)

// Open implements providers.Bucket.
func (b *bucket) Open(
	ctx context.Context, key string, opts providers.ReadOptions,
) (*providers.Reader, error) {
	if opts.Offset < 0 || opts.Length < 0 {
		return nil, b.wrapError("get", key, driver.InvalidRange(opts))
	}
	out, err := client.Read(ctx, b.client, fastread.Request{
		Key: key, Range: rangeHeader(opts), IfMatch: aws.ToString(quote(opts.IfMatch)),
	})
	if err != nil {
		refused := b.readError(ctx, "get", key, err)
		return driver.OpenEmpty(ctx, b, key, refused)
	}

	o := objectOf(key, nil, &out.ETag, &out.Modified)
	if err := checkObject(o); err != nil {
		_ = out.Body.Close()
		return nil, b.wrapError("get", key, err)
	}
	answer := driver.Answer{
		Body: out.Body, Object: o, Length: out.Length, Range: out.Range,
	}
	fail := func(err error) error { return b.wrapError("get", key, err) }
	r, err := answer.NewReader(opts, fail)
	return r, fail(err)
}

// rangeHeader returns the header that asks for a part; empty asks for
// everything.
func rangeHeader(opts providers.ReadOptions) string {
	first := strconv.FormatInt(opts.Offset, 10)
	switch {
	case opts.Offset == 0 && opts.Length == 0:
		return ""
	case opts.Length == 0:
		return "bytes=" + first + "-"
	}
	return "bytes=" + first + "-" + strconv.FormatInt(opts.Offset+opts.Length-1, 10)
}
