package s3

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
)

// List implements providers.Bucket. It fails with Invalid when the
// server does not list in the order of keys, because callers rely on
// that order. The directory buckets of S3 Express are such servers.
func (b *bucket) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		in := b.client.ListInput(opts)
		l := &listing{opts: opts, last: opts.After, yield: yield}
		for !l.done {
			page, err := b.client.ListPage(ctx, in)
			if err == nil {
				err = l.yieldPage(page)
			}
			if err != nil {
				yield(providers.Object{}, b.wrapError("list", "", err))
				return
			}
			in.ContinuationToken = page.NextContinuationToken
		}
	}
}

// listing is one call of List.
type listing struct {
	opts  providers.ListOptions
	yield func(providers.Object, error) bool
	last  string // the last key that was yielded
	done  bool   // no other page is wanted
}

// yieldPage yields the objects of a page, and sets done when the
// listing ends with it.
func (l *listing) yieldPage(page *sdk.ListObjectsV2Output) error {
	for _, o := range page.Contents {
		key, err := client.KeyOf(page, o)
		switch {
		case err != nil:
			return err
		case key <= l.opts.After && l.opts.Direct:
			return startIgnored()
		case key <= l.opts.After: // the server ignores StartAfter
			continue
		case l.opts.Through != "" && key > l.opts.Through:
			l.done = true
			return nil
		case key <= l.last:
			return unordered()
		}

		l.last = key
		if !l.yield(objectOf(key, o.Size, o.ETag, o.LastModified), nil) {
			l.done = true
			return nil
		}
	}

	l.done = !aws.ToBool(page.IsTruncated) || l.last == l.opts.Through && l.last != ""
	if !l.done && aws.ToString(page.NextContinuationToken) == "" {
		return noContinuation()
	}
	return nil
}

func startIgnored() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "StartIgnored",
		Detail: "the server does not know start-after", Fix: "List with one stream.",
	}
}

func unordered() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "UnorderedListing",
		Detail: "the server does not list keys in their order",
		Fix:    "Use a general purpose bucket; directory buckets are not supported.",
	}
}

func noContinuation() error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "NoContinuationToken",
		Detail: "the server says that there is more but not how to go on",
		Fix:    "Use a server that has ListObjectsV2.",
	}
}
