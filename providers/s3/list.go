package s3

import (
	"context"
	"iter"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/stevedore-jobs/stevedore/providers"
)

// List implements providers.Bucket. A server that lists in another order than
// that of the keys (S3 Express directory buckets do) gets an Invalid, because
// whoever reads a listing relies on the order.
func (b *bucket) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		fail := func(err error) { yield(providers.Object{}, b.fail("list", "", err)) }
		in := b.listInput(opts)
		for last := opts.After; ; {
			out, err := b.listPage(ctx, in)
			if err != nil {
				fail(err)
				return
			}
			var more bool
			if last, more, err = page(out, opts, last, yield); err != nil {
				fail(err)
				return
			}
			if !more {
				return
			}
			in.ContinuationToken = out.NextContinuationToken
		}
	}
}

func (b *bucket) listPage(ctx context.Context, in *sdk.ListObjectsV2Input, opts ...func(*sdk.Options)) (*sdk.ListObjectsV2Output, error) {
	out, err := call(ctx, b, func(api *sdk.Client) (*sdk.ListObjectsV2Output, error) { return api.ListObjectsV2(ctx, in, opts...) })
	if err == nil && out.Name == nil {
		return nil, notS3("bucket name")
	}
	return out, err
}

func (b *bucket) listInput(opts providers.ListOptions) *sdk.ListObjectsV2Input {
	in := &sdk.ListObjectsV2Input{
		Bucket: b.name(),
		// Keys may hold characters that XML cannot.
		EncodingType: types.EncodingTypeUrl,
	}
	if opts.Prefix != "" {
		in.Prefix = aws.String(opts.Prefix)
	}
	if opts.After != "" {
		in.StartAfter = aws.String(opts.After)
	}
	return in
}

// page yields a page's objects and reports the last key, and whether to ask
// for another page.
func page(out *sdk.ListObjectsV2Output, opts providers.ListOptions, last string, yield func(providers.Object, error) bool) (string, bool, error) {
	for _, o := range out.Contents {
		key, err := keyOf(out, o)
		switch {
		case err != nil:
			return last, false, err
		case key <= opts.After && opts.Direct:
			return last, false, startIgnored()
		case key <= opts.After: // the server does not know StartAfter
			continue
		case opts.Through != "" && key > opts.Through:
			return last, false, nil
		case key <= last:
			return last, false, &providers.Error{
				Kind: providers.Invalid, Code: "UnorderedListing", Detail: "the server does not list keys in their order",
				Fix: "Use a general purpose bucket; directory buckets are not supported.",
			}
		}
		last = key
		if !yield(objectOf(key, o.Size, o.ETag, o.LastModified), nil) {
			return last, false, nil
		}
	}
	if !aws.ToBool(out.IsTruncated) || last == opts.Through && last != "" {
		return last, false, nil
	}
	if aws.ToString(out.NextContinuationToken) == "" {
		return last, false, &providers.Error{
			Kind: providers.Invalid, Code: "NoContinuationToken", Detail: "the server says that there is more but not how to go on",
			Fix: "Use a server that has ListObjectsV2.",
		}
	}
	return last, true, nil
}

func startIgnored() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "StartIgnored", Detail: "the server does not know start-after", Fix: "List with one stream.",
	}
}

func keyOf(out *sdk.ListObjectsV2Output, o types.Object) (string, error) {
	if out.EncodingType != types.EncodingTypeUrl { // not every server knows it
		return aws.ToString(o.Key), nil
	}
	return url.QueryUnescape(aws.ToString(o.Key))
}
