package s3

import (
	"cmp"
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	// sessionTime is the longest that every role allows: the maximum of a
	// role cannot be set lower than an hour.
	sessionTime = time.Hour
	// renewBefore is how long before their end credentials are renewed; each
	// process a little earlier or later, so that many workers do not ask at
	// once.
	renewBefore       = 5 * time.Minute
	renewJitter       = 0.2
	shortestSession   = 900 // seconds, the least that STS gives
	sessionNamePrefix = "stevedore-"
)

// role is a customer's role that the worker assumes.
type role struct {
	arn         string
	externalID  string // empty when the role is meant to be assumed without
	session     string
	sts         *sts.Client // signs with the worker's own identity
	credentials *aws.CredentialsCache
}

// proof is what a role is assumed with, in a region's STS and by the worker.
type proof struct{ arn, externalID, region string }

// roleOf finds the role of a storage, or makes it: all its buckets share one
// session.
func (o *Opener) roleOf(s tasks.Storage) (*role, error) {
	by := proof{s.Auth.RoleARN, s.Auth.ExternalID, cmp.Or(s.Region, defaultRegion)}
	return o.roles.Get(by, func() (*role, error) { return o.newRole(by), nil })
}

func (o *Opener) newRole(by proof) *role {
	r := &role{
		arn: by.arn, externalID: by.externalID,
		session: sessionNamePrefix + strings.ToLower(rand.Text()[:12]), // shown in the customer's CloudTrail
		sts:     o.newSTS(by.region, own{o}),
	}
	r.credentials = aws.NewCredentialsCache(
		stscreds.NewAssumeRoleProvider(r.sts, r.arn, func(a *stscreds.AssumeRoleOptions) {
			a.Duration, a.RoleSessionName = sessionTime, r.session
			if r.externalID != "" {
				a.ExternalID = aws.String(r.externalID)
			}
		}),
		func(c *aws.CredentialsCacheOptions) {
			c.ExpiryWindow, c.ExpiryWindowJitterFrac = renewBefore, renewJitter
		})
	return r
}

// openToAll reports whether the role can be assumed without the external ID,
// as far as STS tells.
func (r *role) openToAll(ctx context.Context) (open, known bool) {
	_, err := r.sts.AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: aws.String(r.arn), RoleSessionName: aws.String(r.session), DurationSeconds: aws.Int32(shortestSession),
	})
	if err == nil {
		return true, true
	}
	return false, classify(err).Code == "AccessDenied"
}

// newSTS makes a client of the STS in a region: the global endpoint gives
// tokens that newer regions refuse.
func (o *Opener) newSTS(region string, creds aws.CredentialsProvider) *sts.Client {
	options := sts.Options{
		Region: cmp.Or(region, defaultRegion), Credentials: creds, HTTPClient: o.Client,
		Retryer: retryer(min(o.attempts(), 3)), Logger: logging.Nop{},
	}
	if o.STSEndpoint != "" {
		options.BaseEndpoint = aws.String(o.STSEndpoint)
	}
	return sts.New(options)
}

// isAWS reports whether a storage's credentials are AWS's, so that AWS's STS
// knows them.
func isAWS(s tasks.Storage) bool {
	return s.Endpoint == "" || strings.Contains(s.Endpoint, ".amazonaws.com")
}
