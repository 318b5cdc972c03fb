package identity

import (
	"cmp"
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/providers/s3/signing"
)

const (
	defaultRegion  = "us-east-1" // of STS, for storages without a region
	maxSTSAttempts = 3
)

// Caller is who AWS says signs the requests.
type Caller struct {
	ARN     string
	Account string
	// Expires is when the credentials are renewed at the latest; zero
	// when they are not renewed.
	Expires time.Time
	// Temporary means that the credentials expire, at a time that only
	// their creator knows.
	Temporary bool
}

// CanAskCaller reports whether Caller has an STS to ask. For servers
// other than AWS it needs one that the operator has set.
func (i Identity) CanAskCaller() bool {
	return i.IsAWS() || i.Role != nil || i.source.config.STSEndpoint != ""
}

// Caller asks STS whose the credentials are. For assume-role this is
// the worker, whom the role must trust.
func (i Identity) Caller(ctx context.Context) (Caller, error) {
	credentials := i.Credentials
	if i.Role != nil {
		credentials = &i.source.worker
	}
	client := i.source.newSTS(i.storage.Region, credentials)
	out, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Caller{}, err
	}

	c := Caller{
		ARN:     driver.Printable(aws.ToString(out.Arn)),
		Account: driver.Printable(aws.ToString(out.Account)),
	}
	c.Expires, c.Temporary = lifetime(ctx, credentials)
	return c, nil
}

// lifetime returns the fields Expires and Temporary of a Caller.
func lifetime(ctx context.Context, from aws.CredentialsProvider) (time.Time, bool) {
	c, err := from.Retrieve(ctx)
	switch {
	case err != nil: // rare, because the credentials have just been used
		return time.Time{}, false
	case c.CanExpire:
		return c.Expires, false
	}
	return time.Time{}, c.SessionToken != ""
}

// newSTS makes a client of the STS in a region. It does not use AWS's
// global STS, whose tokens newer regions refuse.
func (s *Source) newSTS(region string, creds aws.CredentialsProvider) *sts.Client {
	options := sts.Options{
		Region:      cmp.Or(region, defaultRegion),
		Credentials: creds,
		HTTPClient:  s3error.Client{HTTP: s.config.Client},
		Retryer:     s3error.Retryer(min(s.config.Attempts, maxSTSAttempts)),
		Logger:      logging.Nop{},
		APIOptions:  []func(*middleware.Stack) error{signing.StableHeaders},
	}
	if s.config.STSEndpoint != "" {
		options.BaseEndpoint = aws.String(s.config.STSEndpoint)
	}
	return sts.New(options)
}
