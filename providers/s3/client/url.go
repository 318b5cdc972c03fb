package client

import (
	"cmp"
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
)

// URL returns the bucket's URL in the region that requests go to, or in
// the first one to try. It follows the SDK's own rules, which know
// partitions, bucket names with dots, and addressing by path.
func (c *Client) URL() (*url.URL, error) {
	no := aws.Bool(false)
	at, err := sdk.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(),
		sdk.EndpointParameters{
			Bucket:         c.Bucket(),
			Region:         aws.String(cmp.Or(c.Region(), c.options.Region, defaultRegion)),
			Endpoint:       c.options.BaseEndpoint,
			ForcePathStyle: aws.Bool(c.options.UsePathStyle),
			UseFIPS:        no, UseDualStack: no, Accelerate: no,
			UseGlobalEndpoint: no, UseArnRegion: aws.Bool(true),
			DisableMultiRegionAccessPoints: no,
		})
	if err != nil {
		return nil, err
	}
	return &at.URI, nil
}
