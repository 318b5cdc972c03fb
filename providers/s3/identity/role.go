package identity

import (
	"cmp"
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

const (
	// sessionTime is the longest session that every role allows: nobody
	// can set the maximum of a role below an hour.
	sessionTime = time.Hour
	// renewBefore is how long before their end credentials are renewed.
	// renewJitter varies it for each process, so that many workers do
	// not ask STS at the same time.
	renewBefore = 5 * time.Minute
	renewJitter = 0.2
	// minSessionTime is the least that STS accepts.
	minSessionTime = 900 * time.Second

	sessionNamePrefix = "stevedore-"
)

// Role is a customer's role that the worker assumes. It is safe for
// concurrent use.
type Role struct {
	ARN        string
	ExternalID string // empty when the role needs none

	sessionName string // the customer sees it in CloudTrail
	sts         *sts.Client
	credentials *aws.CredentialsCache
}

// roleKey holds everything that a role is assumed with. Storages with
// equal keys share a session.
type roleKey struct{ arn, externalID, region string }

// role returns the cached role of a storage, or makes it. Every shard
// of a job opens its bucket again, and all of them share one session.
func (s *Source) role(st tasks.Storage) (*Role, error) {
	key := roleKey{st.Auth.RoleARN, st.Auth.ExternalID, cmp.Or(st.Region, defaultRegion)}
	return s.roles.Get(key, func() (*Role, error) { return s.newRole(key), nil })
}

func (s *Source) newRole(key roleKey) *Role {
	r := &Role{
		ARN: key.arn, ExternalID: key.externalID,
		sessionName: sessionNamePrefix + strings.ToLower(rand.Text()[:12]),
		sts:         s.newSTS(key.region, &s.worker),
	}
	provider := stscreds.NewAssumeRoleProvider(r.sts, r.ARN,
		func(o *stscreds.AssumeRoleOptions) {
			o.Duration, o.RoleSessionName = sessionTime, r.sessionName
			o.ExternalID = r.externalID()
		})
	r.credentials = aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) {
		o.ExpiryWindow, o.ExpiryWindowJitterFrac = renewBefore, renewJitter
	})
	return r
}

func (r *Role) externalID() *string {
	if r.ExternalID == "" {
		return nil
	}
	return aws.String(r.ExternalID)
}

// Session is a session of a role.
type Session struct {
	ARN     string    // of the session; empty when STS did not say
	Expires time.Time // zero when STS did not say
}

// Assume opens a new session of the role. It also drops the session
// that buckets share, which may have rights that a new one does not
// get.
func (r *Role) Assume(ctx context.Context) (Session, error) {
	out, err := r.sts.AssumeRole(ctx, r.assumeRoleInput(sessionTime, r.externalID()))
	if err != nil {
		return Session{}, err
	}
	r.credentials.Invalidate()

	var session Session
	if out.AssumedRoleUser != nil {
		session.ARN = driver.Printable(aws.ToString(out.AssumedRoleUser.Arn))
	}
	if out.Credentials != nil {
		session.Expires = aws.ToTime(out.Credentials.Expiration)
	}
	return session, nil
}

// RequiresExternalID tries to assume the role without the external ID,
// and reports whether STS refuses that. known is false when STS gave no
// clear answer.
func (r *Role) RequiresExternalID(ctx context.Context) (requires, known bool) {
	_, err := r.sts.AssumeRole(ctx, r.assumeRoleInput(minSessionTime, nil))
	if err == nil {
		return false, true
	}
	return true, s3error.Classify(err).Code == "AccessDenied"
}

func (r *Role) assumeRoleInput(duration time.Duration, externalID *string) *sts.AssumeRoleInput {
	return &sts.AssumeRoleInput{
		RoleArn:         aws.String(r.ARN),
		RoleSessionName: aws.String(r.sessionName),
		DurationSeconds: aws.Int32(int32(duration / time.Second)),
		ExternalId:      externalID,
	}
}

// SignIn returns the STS where the role is assumed. It returns the zero
// value if AWS has no STS in the storage's region; the error of Assume
// then says so.
func (r *Role) SignIn() providers.SignIn {
	options := r.sts.Options()
	if options.BaseEndpoint != nil {
		return providers.SignIn{
			URL:    *options.BaseEndpoint,
			Source: "is set with " + setting.STSEndpoint.String() + " on the workers",
		}
	}
	no := aws.Bool(false)
	at, err := options.EndpointResolverV2.ResolveEndpoint(context.Background(),
		sts.EndpointParameters{
			Region:  aws.String(options.Region),
			UseFIPS: no, UseDualStack: no, UseGlobalEndpoint: no,
		})
	if err != nil {
		return providers.SignIn{}
	}
	return providers.SignIn{
		URL:    at.URI.String(),
		Source: "is AWS's own for region " + options.Region,
	}
}
