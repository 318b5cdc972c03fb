package s3

import (
	"cmp"
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
)

// Endpoint is the base URL that the bucket's requests go to, as far as it is known before the region is.
func (b *bucket) Endpoint() string {
	at, err := b.resolve()
	if err != nil {
		return b.storage.Endpoint
	}
	return (&url.URL{Scheme: at.Scheme, Host: at.Host}).String()
}

// CORSTarget is the URL of an object, for a browser's preflight. The object need not exist.
func (b *bucket) CORSTarget() string {
	at, err := b.resolve()
	if err != nil {
		return ""
	}
	return at.JoinPath(b.storage.Dir() + "stevedore-cors-check").String()
}

// resolve applies the SDK's own rules, which know partitions, names with dots and path style.
func (b *bucket) resolve() (url.URL, error) {
	region := cmp.Or(b.options.Region, defaultRegion)
	if api := b.client.Load(); api != nil {
		region = api.Options().Region
	}
	at, err := sdk.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), sdk.EndpointParameters{
		Bucket: b.name(), Region: aws.String(region), Endpoint: b.options.BaseEndpoint, ForcePathStyle: aws.Bool(b.options.UsePathStyle),
		UseFIPS: aws.Bool(false), UseDualStack: aws.Bool(false), Accelerate: aws.Bool(false), UseGlobalEndpoint: aws.Bool(false),
		UseArnRegion: aws.Bool(false), DisableMultiRegionAccessPoints: aws.Bool(true),
	})
	return at.URI, err
}
