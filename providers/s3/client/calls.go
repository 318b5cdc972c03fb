package client

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

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
