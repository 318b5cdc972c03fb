package s3

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
)

// call makes one operation. When the answer says that the bucket is in
// another region, the bucket goes there, for this and all later operations,
// and the operation is made once more.
func call[T any](ctx context.Context, b *bucket, do func(*sdk.Client) (T, error)) (T, error) {
	api, err := b.api(ctx)
	if err != nil {
		var none T
		return none, err
	}
	out, err := do(api)
	region := regionTold(err)
	if region == "" || region == api.Options().Region {
		return out, err
	}
	return do(b.move(api, region))
}

// api gives the client, and finds the bucket's region first if nobody has
// said it. A failure is not remembered.
func (b *bucket) api(ctx context.Context) (*sdk.Client, error) {
	if api := b.client.Load(); api != nil {
		return api, nil
	}
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if api := b.client.Load(); api != nil {
		return api, nil
	}
	options := b.options
	if options.Region == "" {
		region, err := b.findRegion(ctx)
		if err != nil {
			return nil, err
		}
		options.Region = region
	}
	api := sdk.New(options)
	b.client.Store(api)
	return api, nil
}

// move replaces a client by one of another region, unless somebody else has
// replaced it meanwhile.
func (b *bucket) move(from *sdk.Client, region string) *sdk.Client {
	options := b.options
	options.Region = region
	b.client.CompareAndSwap(from, sdk.New(options))
	return b.client.Load()
}
