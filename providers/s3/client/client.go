// Package client makes calls of the S3 API in the region of one bucket.
// It finds out the region if the payload does not give it, and changes
// it if an answer names another one. It also knows the bucket's URL.
//
// It returns errors as the SDK does. Package s3error classifies them.
package client

import (
	"cmp"
	"context"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/stevedore-jobs/stevedore/providers/s3/fastread"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/providers/s3/signing"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// defaultRegion is what servers other than AWS expect when no region is
// configured.
const defaultRegion = "us-east-1"

// Config holds what a client needs and the payload does not say.
type Config struct {
	HTTP        *http.Client // sends every request
	Attempts    int          // how often a request is tried before it fails
	Credentials aws.CredentialsProvider
}

// Client makes the calls on one bucket. It is safe for concurrent use.
type Client struct {
	storage tasks.Storage
	http    *http.Client
	options sdk.Options // the region is empty if the payload gives none

	// creating holds a token while a call creates the first SDK client.
	creating chan struct{}
	// current is nil at first, and replaced when the region changes.
	current atomic.Pointer[sdk.Client]
	// reader is nil at first, and replaced by the first read after
	// current was replaced.
	reader atomic.Pointer[fastread.Reader]
}

// New makes the client of a storage's bucket. It makes no request.
func New(s tasks.Storage, c Config) *Client {
	return &Client{
		storage: s, http: c.HTTP, options: optionsOf(s, c), creating: make(chan struct{}, 1),
	}
}

func optionsOf(s tasks.Storage, c Config) sdk.Options {
	byPath := s.Addressing == "path" ||
		s.Addressing == "" && s.Endpoint != "" && !arn.IsARN(s.Bucket)
	options := sdk.Options{
		Credentials:                c.Credentials,
		HTTPClient:                 readableListings{s3error.Client{HTTP: c.HTTP}},
		Retryer:                    s3error.Retryer(c.Attempts),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		Logger:                     logging.Nop{},
		Region:                     cmp.Or(s.Region, regionOfARN(s.Bucket)),
		UsePathStyle:               byPath,
		UseARNRegion:               true, // a payload's ARN and region may differ
		APIOptions:                 commonHeaders(s),

		DisableLogOutputChecksumValidationSkipped: true,
	}
	if s.Endpoint == "" {
		return options
	}

	options.BaseEndpoint = aws.String(s.Endpoint)
	// Many servers refuse the checksum trailers that AWS accepts.
	options.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	options.Region = cmp.Or(options.Region, defaultRegion)
	return options
}

// regionOfARN returns the region of an access point. One of several
// regions is reached from any. It is empty for the name of a bucket.
func regionOfARN(bucket string) string {
	at, err := arn.Parse(bucket)
	if err != nil {
		return ""
	}
	return cmp.Or(at.Region, defaultRegion)
}

// commonHeaders sets the headers that every request on a storage has,
// so that no call can forget them. They are signed. It also decides
// which of the SDK's own headers are signed.
func commonHeaders(s tasks.Storage) []func(*middleware.Stack) error {
	set := []func(*middleware.Stack) error{signing.StableHeaders}
	if s.RequesterPays {
		set = append(set, smithyhttp.SetHeaderValue("X-Amz-Request-Payer", "requester"))
	}
	if s.ExpectedOwner != "" {
		set = append(set, smithyhttp.SetHeaderValue("X-Amz-Expected-Bucket-Owner", s.ExpectedOwner))
	}
	return set
}

// Bucket returns the bucket's name, in the form of the SDK's inputs.
func (c *Client) Bucket() *string { return aws.String(c.storage.Bucket) }

// Call makes one call. If the answer names another region, the client
// uses that region from now on, and makes the call once more. So do may
// run twice.
func Call[T any](ctx context.Context, c *Client, do func(*sdk.Client) (T, error)) (T, error) {
	api, err := c.SDK(ctx)
	if err != nil {
		var zero T
		return zero, err
	}
	out, err := do(api)
	region := s3error.Region(err)
	if region == "" || region == api.Options().Region {
		return out, err
	}
	return do(c.move(api, region))
}

// SDK returns the SDK's client for the region in use. If the payload
// gives no region, the first caller asks AWS for it, and the others
// wait. After a failure the next caller asks again.
func (c *Client) SDK(ctx context.Context) (*sdk.Client, error) {
	if api := c.current.Load(); api != nil {
		return api, nil
	}
	select {
	case c.creating <- struct{}{}:
		defer func() { <-c.creating }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if api := c.current.Load(); api != nil { // created while this call waited
		return api, nil
	}

	options := c.options
	if options.Region == "" {
		region, err := c.findRegion(ctx)
		if err != nil {
			return nil, err
		}
		options.Region = region
	}
	api := sdk.New(options)
	c.current.Store(api)
	return api, nil
}

// move replaces the SDK's client by one of another region, unless
// another call has replaced it meanwhile. It returns the client to use.
func (c *Client) move(from *sdk.Client, region string) *sdk.Client {
	options := c.options
	options.Region = region
	c.current.CompareAndSwap(from, sdk.New(options))
	return c.current.Load()
}
