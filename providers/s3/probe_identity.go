package s3

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// credentials tells whose the credentials are: for assume-role the worker's
// own, which the role must trust.
func (p *probe) credentials(ctx context.Context) tasks.Check {
	switch {
	case p.storage.Auth.Method == tasks.AuthAnonymous:
		return skipped(checkCredentials, "the storage is used without credentials")
	case !isAWS(p.storage) && p.opener.STSEndpoint == "" && p.who.role == nil:
		return skipped(checkCredentials, "whose they are was not asked: "+p.storage.Endpoint+" has no STS that this worker knows")
	}
	creds := p.who.credentials
	if p.who.role != nil {
		creds = own{p.opener}
	}
	out, err := p.opener.newSTS(p.options.Region, creds).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return p.credentialsFailed(err)
	}
	p.account = aws.ToString(out.Account)
	text := "the credentials are those of "
	if p.who.role != nil || p.storage.Auth.Method == tasks.AuthWorkerIdentity {
		text = "the worker is "
	}
	return tasks.Check{
		ID: checkCredentials, Status: tasks.CheckOK,
		Evidence: p.who.seen.redact(fmt.Sprintf("%s%s in account %s%s", text, driver.Printable(aws.ToString(out.Arn)), driver.Printable(p.account), ending(ctx, creds))),
	}
}

// ending tells until when credentials hold, where that is known.
func ending(ctx context.Context, p aws.CredentialsProvider) string {
	c, err := p.Retrieve(ctx)
	switch {
	case err == nil && c.CanExpire:
		return ", renewed before " + c.Expires.UTC().Format(time.RFC3339)
	case err == nil && c.SessionToken != "":
		return "; they are temporary, and only their maker knows until when"
	}
	return ""
}

// credentialsFailed is the end only when the credentials are refused. An STS
// that cannot be reached says nothing about them.
func (p *probe) credentialsFailed(err error) tasks.Check {
	e := p.identityFault(err)
	foreign := !isAWS(p.storage) && p.storage.Auth.Method == tasks.AuthAccessKey // keys that another STS may know
	if e.Kind != providers.Unauthenticated || foreign {
		return tasks.Check{ID: checkCredentials, Status: tasks.CheckUnknown, Code: e.Code, Evidence: e.Error()}
	}
	p.hopeless = "the credentials were refused"
	return p.check(checkCredentials, e, "")
}

// identityFault is an error of GetCallerIdentity: about the storage's own
// keys, unless they are the worker's.
func (p *probe) identityFault(err error) *providers.Error {
	e := classify(err)
	e.Op, e.Key, e.Bucket = "get-caller-identity", "", p.storage.Bucket
	if p.storage.Auth.Method == tasks.AuthAccessKey {
		e.Key = "access key " + p.storage.Auth.AccessKeyID
		switch {
		case strings.HasPrefix(e.Fix, clockAdvice):
		case e.Code == "InvalidClientTokenId":
			e.Fix = "The access key ID (access_key_id) is unknown or deleted; one that starts with ASIA needs its session_token."
		case e.Code == "SignatureDoesNotMatch":
			e.Fix = "Check the secret access key (secret_access_key) for typing errors and white space."
		case e.Kind == providers.Unauthenticated:
			e.Fix = "The temporary credentials have ended: give new ones, with their session_token."
		}
	} else if e.Key == "" {
		e.Key = "worker"
	}
	e.Detail, e.Fix = p.who.seen.redact(e.Detail), p.who.seen.redact(e.Fix)
	return e
}

// role assumes the role as the jobs will, and then tries to do so without the
// external ID, which must fail: a role that takes anybody lets every customer
// of the tool into this bucket (IAM User Guide, "The confused deputy
// problem").
func (p *probe) role(ctx context.Context) tasks.Check {
	r := p.who.role
	in := &sts.AssumeRoleInput{
		RoleArn: aws.String(r.arn), RoleSessionName: aws.String(r.session), DurationSeconds: aws.Int32(int32(sessionTime / time.Second)),
	}
	if r.externalID != "" {
		in.ExternalId = aws.String(r.externalID)
	}
	out, err := r.sts.AssumeRole(ctx, in)
	if err != nil {
		return p.roleFailed(err)
	}
	r.credentials.Invalidate() // a session that other buckets have used tells nothing of what a new one may do
	c := tasks.Check{ID: checkRole, Status: tasks.CheckOK, Evidence: "acts as " + r.arn}
	if out.AssumedRoleUser != nil {
		c.Evidence = "acts as " + driver.Printable(aws.ToString(out.AssumedRoleUser.Arn))
	}
	if out.Credentials != nil {
		c.Evidence += " until " + aws.ToTime(out.Credentials.Expiration).UTC().Format(time.RFC3339) + ", renewed as long as jobs run"
	}
	if r.externalID == "" {
		c.Evidence += "; the storage says that the role needs no external ID"
		return c
	}
	return p.negative(ctx, c)
}

func (p *probe) negative(ctx context.Context, c tasks.Check) tasks.Check {
	open, known := p.who.role.openToAll(ctx)
	switch {
	case open:
		c.Status, c.Code = tasks.CheckWarn, "ExternalIDNotRequired"
		c.Evidence += "; the role does not require the external ID"
		c.Fix = fmt.Sprintf(`Add to the role's trust policy: "Condition": {"StringEquals": {"sts:ExternalId": %q}}.`, p.who.role.externalID)
	case known:
		c.Evidence += "; without the external ID it is refused, as it should be"
	default:
		c.Evidence += "; whether it requires the external ID could not be found out"
	}
	return c
}

func (p *probe) roleFailed(err error) tasks.Check {
	p.hopeless = "the role could not be assumed"
	e := p.fault(opAssume, "", err)
	if e.Kind == providers.Denied && p.account != "" {
		e.Fix = p.who.seen.redact(p.who.role.deniedAdvice(e.Detail, "the worker's account "+p.account))
	}
	return p.bucket.check(checkRole, e, "")
}
