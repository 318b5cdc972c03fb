package client

import (
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
)

// Option changes the SDK's options for one call.
type Option = func(*sdk.Options)

// GetObject reads an object, or a part of it. The caller must close the
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

// ListPage reads one page of a listing. It checks that the answer is a
// listing of S3.
func (c *Client) ListPage(
	ctx context.Context, in *sdk.ListObjectsV2Input, opts ...Option,
) (*sdk.ListObjectsV2Output, error) {
	out, err := Call(ctx, c, func(api *sdk.Client) (*sdk.ListObjectsV2Output, error) {
		return api.ListObjectsV2(ctx, in, opts...)
	})
	if err == nil && out.Name == nil {
		return nil, s3error.NotS3("bucket name")
	}
	return out, err
}

// KeyOf returns the key of an object of a page. It decodes keys only if
// the page says that they are encoded: some servers ignore
// EncodingType.
func KeyOf(page *sdk.ListObjectsV2Output, o types.Object) (string, error) {
	if page.EncodingType != types.EncodingTypeUrl {
		return aws.ToString(o.Key), nil
	}
	return url.QueryUnescape(aws.ToString(o.Key))
}
