package s3

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
)

const regionHeader = "x-amz-bucket-region"

// api gives the client, and finds the bucket's region first if nobody has said it. A failure is not remembered.
func (b *bucket) api(ctx context.Context) (*sdk.Client, error) {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if b.client != nil {
		return b.client, nil
	}
	options := b.options
	if options.Region == "" {
		region, err := b.findRegion(ctx)
		if err != nil {
			return nil, err
		}
		options.Region = region
	}
	b.client = sdk.New(options)
	return b.client, nil
}

// findRegion asks AWS with an unsigned HEAD. S3 names the region in a header whatever the status is, 403 and 301 included
// (documentation of HeadBucket). It works within the partition "aws"; those of China and of governments need a region.
func (b *bucket) findRegion(ctx context.Context) (string, error) {
	at := "https://s3." + defaultRegion + ".amazonaws.com/" + url.PathEscape(b.storage.Bucket)
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, at, nil)
	if err != nil {
		return "", err
	}
	resp, err := b.http.Do(req)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	if region := resp.Header.Get(regionHeader); region != "" {
		return region, nil
	}
	e := &providers.Error{Status: resp.StatusCode, RequestID: resp.Header.Get("x-amz-request-id"), Kind: kindOfStatus(resp.StatusCode)}
	if resp.StatusCode == http.StatusNotFound {
		e.Code = "NoSuchBucket"
		e.Fix = "Check the bucket name; give the region if it is one of China or of a government."
		return "", e
	}
	e.Detail = fmt.Sprintf("AWS did not say in which region the bucket is (%s)", http.StatusText(resp.StatusCode))
	e.Fix = "Give the bucket's region."
	return "", e
}
