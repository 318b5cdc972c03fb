package s3

import (
	"cmp"
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// STSSetting is the setting with which the operator chooses where roles are
// assumed, named in advice.
const STSSetting = "STEVEDORE_STS_ENDPOINT"

// Endpoint is the base URL that the bucket's requests go to, as far as it is
// known before the region is.
func (b *bucket) Endpoint() string {
	at, err := b.resolve()
	if err != nil {
		return b.storage.Endpoint
	}
	return (&url.URL{Scheme: at.Scheme, Host: at.Host}).String()
}

// CORSTarget is the URL of an object, for a browser's preflight. The object
// need not exist.
func (b *bucket) CORSTarget() string {
	at, err := b.resolve()
	if err != nil {
		return ""
	}
	return at.JoinPath(b.storage.Dir() + "stevedore-cors-check").String()
}

// CORSAdvice tells how to add a CORS rule that allows what want asks for.
func (b *bucket) CORSAdvice(want tasks.CORS) string {
	return policy.S3CORS(b.storage.Bucket, b.storage.Endpoint, want)
}

// SignIn is where the bucket's role is assumed. Other credentials are there
// already, or the worker's own affair.
func (b *bucket) SignIn() providers.SignIn {
	if b.who.role == nil {
		return providers.SignIn{}
	}
	options := b.who.role.sts.Options()
	if options.BaseEndpoint != nil {
		return providers.SignIn{URL: *options.BaseEndpoint, Source: "is set with " + STSSetting + " on the workers"}
	}
	at, err := options.EndpointResolverV2.ResolveEndpoint(context.Background(), sts.EndpointParameters{
		Region:  aws.String(options.Region),
		UseFIPS: aws.Bool(false), UseDualStack: aws.Bool(false), UseGlobalEndpoint: aws.Bool(false),
	})
	if err != nil { // the role's check tells what is wrong with such a region
		return providers.SignIn{}
	}
	return providers.SignIn{URL: at.URI.String(), Source: "is AWS's own for region " + options.Region}
}

// resolve applies the SDK's own rules, which know partitions, names with dots
// and path style.
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
