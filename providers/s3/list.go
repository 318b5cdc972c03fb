package s3

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/limits"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
)

// List implements providers.Bucket.
func (b *bucket) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		l := listing{driver.NewListing(opts, b.KnownOrder), yield}
		if err := l.pages(ctx, b.client, opts); err != nil {
			yield(providers.Object{}, b.wrapError("list", "", err))
		}
	}
}

// listing is one call of List.
type listing struct {
	*driver.Listing
	yield func(providers.Object, error) bool
}

func (l *listing) pages(
	ctx context.Context, c *client.Client, opts providers.ListOptions,
) error {
	ctx, turn := limits.WithTurn(ctx)
	in := c.ListInput(opts)
	if c.ListsDirectories() {
		if opts.Direct && opts.After != "" {
			return driver.StartIgnored()
		}
		in.Prefix = aws.String(l.Directory())
	}
	for more := !l.Done(); more; {
		page, err := c.ListPage(ctx, in)
		turn.Leave()
		if limits.IsTooMuch(err) && in.MaxKeys == nil {
			in.MaxKeys = aws.Int32(driver.ShortPage)
			continue
		}
		if err == nil {
			err = l.Page(len(page.Contents), aws.ToString(page.NextContinuationToken))
		}
		if err == nil {
			more, err = l.yieldPage(page)
		}
		if err != nil {
			return err
		}
		in.ContinuationToken = page.NextContinuationToken
		if prefix, ok := l.Restart(aws.ToString(in.Prefix)); ok {
			in.Prefix, in.ContinuationToken, more = aws.String(prefix), nil, true
		}
	}
	return nil
}

// yieldPage yields the objects of a page that belong to the listing. It
// reports whether another page is needed.
func (l *listing) yieldPage(page *sdk.ListObjectsV2Output) (more bool, err error) {
	for _, o := range page.Contents {
		object := objectOf(aws.ToString(o.Key), o.Size, o.ETag, o.LastModified)
		wanted, err := l.Take(object)
		if err != nil {
			return false, err
		}
		if wanted && !l.yield(object, nil) || l.Done() {
			return false, nil
		}
	}
	more = aws.ToBool(page.IsTruncated)
	if more && aws.ToString(page.NextContinuationToken) == "" {
		return false, noContinuation()
	}
	return more, nil
}

func noContinuation() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "NoContinuationToken",
		Detail: "the server says that there is more but not how to go on",
		Fix:    "Use a server that has ListObjectsV2.",
	}
}
