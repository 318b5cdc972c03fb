package client

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers/s3/fastread"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
)

// Option changes the SDK's options for one call.
type Option = func(*sdk.Options)

// Read reads an object, or a part of it, with little processor time.
// The answer has only what a read of the content needs.
func Read(ctx context.Context, c *Client, in fastread.Request) (fastread.Answer, error) {
	return Call(ctx, c, func(api *sdk.Client) (fastread.Answer, error) {
		return readerFor(c, api).Get(ctx, in)
	})
}

// readerFor returns the reader of a client of the SDK. All reads share
// it, because it makes a sample request first.
func readerFor(c *Client, api *sdk.Client) *fastread.Reader {
	for {
		last := c.reader.Load()
		if last != nil && last.API() == api {
			return last
		}
		if r := fastread.New(api, c.http, c.storage.Bucket); c.reader.CompareAndSwap(last, r) {
			return r
		}
	}
}

// GetObject reads an object, or a part of it, with the SDK. The answer
// has all that S3 says about the object. The caller must close the
// body.
func (c *Client) GetObject(
	ctx context.Context, in *sdk.GetObjectInput, opts ...Option,
) (*sdk.GetObjectOutput, error) {
	return Call(ctx, c, func(api *sdk.Client) (*sdk.GetObjectOutput, error) {
		return api.GetObject(ctx, in, opts...)
	})
}

// DeleteObject deletes an object. A missing key is no error: for it AWS
// answers 204, and some servers 404.
func (c *Client) DeleteObject(ctx context.Context, key string) error {
	in := &sdk.DeleteObjectInput{Bucket: c.Bucket(), Key: aws.String(key)}
	_, err := Call(ctx, c, func(api *sdk.Client) (*sdk.DeleteObjectOutput, error) {
		return api.DeleteObject(ctx, in)
	})
	if err != nil && s3error.IsMissingKey(s3error.Classify(err)) {
		return nil
	}
	return err
}
