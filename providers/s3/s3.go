// Package s3 is buckets of AWS S3 and of servers that speak its protocol.
//
// It knows the AWS SDK and nothing of jobs. Clients are built from the
// payload alone. Environment, profile and instance role of the worker are
// looked at only for the two methods that say so, assume-role and
// worker-identity: a storage without credentials cannot borrow the worker's
// own.
package s3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Opener opens S3 buckets. It may be used by many goroutines at once, and
// must not be copied after its first use.
type Opener struct {
	// Client carries every request; make it with egress.Policy.Client. It
	// must not be nil, because the default one would connect anywhere.
	Client *http.Client
	// InstanceIdentity lets the search for the worker's own identity ask the
	// metadata services of EC2, ECS and EKS, which the egress rules of Client
	// refuse. Nothing that a payload says is ever sent there.
	InstanceIdentity bool
	// Attempts is how often a request is made before it fails, waiting longer
	// each time; 0 means 6.
	Attempts int
	// STSEndpoint is where roles are assumed; empty means AWS's, in the
	// storage's region.
	STSEndpoint string
	// WorkerIdentity allows payloads to use the worker's own identity (method
	// worker-identity) on a bucket.
	WorkerIdentity bool

	roles driver.SessionCache[proof, *role]

	mu    sync.Mutex
	found *aws.Config // the worker's own identity; guarded by mu
}

const (
	defaultAttempts = 6
	probeAttempts   = 2
	maxBackoff      = 10 * time.Second
	defaultRegion   = "us-east-1" // what servers other than AWS expect when none is configured
)

// Open implements providers.Opener. A storage with neither region nor
// endpoint finds its region at the first operation.
func (o *Opener) Open(_ context.Context, s tasks.Storage, secrets providers.Secrets) (providers.Bucket, error) {
	who, err := o.identityOf(s, secrets)
	if err != nil {
		return nil, err
	}
	return &bucket{
		storage: s, opener: o, who: who, turn: make(chan struct{}, 1), options: o.options(s, who.credentials),
	}, nil
}

func (o *Opener) options(s tasks.Storage, creds aws.CredentialsProvider) sdk.Options {
	options := sdk.Options{
		Credentials:                creds,
		HTTPClient:                 o.Client,
		Retryer:                    retryer(o.attempts()),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		Logger:                     logging.Nop{},
		Region:                     s.Region,
		UsePathStyle:               s.Addressing == "path" || s.Addressing == "" && s.Endpoint != "",
		APIOptions:                 everyRequest(s),

		DisableLogOutputChecksumValidationSkipped: true,
	}
	if s.Endpoint != "" {
		options.BaseEndpoint = aws.String(s.Endpoint)
		// Many servers refuse the checksum trailers that AWS takes.
		options.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		if s.Region == "" {
			options.Region = defaultRegion
		}
	}
	return options
}

// everyRequest sets the headers that hold for a whole storage. Done here, no
// call can forget them; they are signed.
func everyRequest(s tasks.Storage) []func(*middleware.Stack) error {
	var set []func(*middleware.Stack) error
	if s.RequesterPays {
		set = append(set, smithyhttp.SetHeaderValue("X-Amz-Request-Payer", "requester"))
	}
	if s.ExpectedOwner != "" {
		set = append(set, smithyhttp.SetHeaderValue("X-Amz-Expected-Bucket-Owner", s.ExpectedOwner))
	}
	return set
}

func (o *Opener) attempts() int {
	if o.Attempts == 0 {
		return defaultAttempts
	}
	return o.Attempts
}

// answerBrokeOff makes the SDK ask again for a listing that did not arrive
// whole, which by itself it does not.
func answerBrokeOff(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

func retryer(attempts int) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = maxBackoff
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(answerBrokeOff))
	})
}
