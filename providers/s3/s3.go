// Package s3 is buckets of AWS S3 and of servers that speak its protocol.
//
// It knows the AWS SDK and nothing of jobs. Clients are built from the payload alone: environment, profile and instance
// role of the worker are never looked at, so a storage without credentials cannot borrow the worker's own.
package s3

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Opener opens S3 buckets. It may be used by many goroutines at once.
type Opener struct {
	// Client carries every request; make it with egress.Policy.Client. It must not be nil, because the default one would
	// connect anywhere.
	Client *http.Client
	// Attempts is how often a request is made before it fails, waiting longer each time; 0 means 6.
	Attempts int
}

const (
	defaultAttempts = 6
	probeAttempts   = 2
	maxBackoff      = 10 * time.Second
	defaultRegion   = "us-east-1" // what servers other than AWS expect when none is configured
)

// Open implements providers.Opener. A storage with neither region nor endpoint finds its region at the first operation.
func (o *Opener) Open(_ context.Context, s tasks.Storage, secrets providers.Secrets) (providers.Bucket, error) {
	creds, hidden, err := credentialsOf(s, secrets)
	if err != nil {
		return nil, err
	}
	attempts := o.Attempts
	if attempts == 0 {
		attempts = defaultAttempts
	}
	b := &bucket{
		storage: s, hidden: hidden, http: o.Client, turn: make(chan struct{}, 1),
		options: sdk.Options{
			Credentials:                creds,
			HTTPClient:                 o.Client,
			Retryer:                    retryer(attempts),
			RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
			ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
			Logger:                     logging.Nop{},
			Region:                     s.Region,

			DisableLogOutputChecksumValidationSkipped: true,
		},
	}
	if s.Endpoint != "" {
		b.options.BaseEndpoint = aws.String(s.Endpoint)
		b.options.UsePathStyle = true
		// Many servers refuse the checksum trailers that AWS takes.
		b.options.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		if s.Region == "" {
			b.options.Region = defaultRegion
		}
	}
	return b, nil
}

func retryer(attempts int) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = maxBackoff
	})
}
