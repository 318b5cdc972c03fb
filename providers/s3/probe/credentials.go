package probe

import (
	"context"
	"fmt"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/s3/identity"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// credentialsChecks check what the requests are signed with.
type credentialsChecks struct {
	Target
	listing *listingChecks
	account string // the worker's AWS account; empty when it is unknown
}

// caller finds out whose the credentials are. For assume-role these are
// the worker's own, which the role must trust. Without an STS that
// knows them, only the server itself can say that they are wrong.
func (p *credentialsChecks) caller(ctx context.Context) tasks.Check {
	switch {
	case p.Storage.Auth.Method == tasks.AuthAnonymous:
		return check.Skip("the storage is used without credentials")
	case !p.Identity.CanAskCaller():
		return p.serverRefuses(ctx, check.Skip("the worker knows no STS of "+p.Storage.Endpoint+
			" that could say whose they are"))
	}
	caller, err := p.Identity.Caller(ctx)
	if err != nil {
		return p.callerFailed(ctx, err)
	}

	p.account = caller.Account
	who := "the credentials are those of "
	if p.Identity.IsWorker() {
		who = "the worker is "
	}
	evidence := who + caller.ARN + " in account " + caller.Account + expiry(caller)
	return check.OK(p.Identity.Redact(evidence))
}

func expiry(c identity.Caller) string {
	switch {
	case !c.Expires.IsZero():
		return ", renewed before " + c.Expires.UTC().Format(time.RFC3339)
	case c.Temporary:
		return "; they are temporary, and only their creator knows until when"
	}
	return ""
}

// callerFailed makes a failure only if STS refused the credentials. If
// STS could not be reached, they may be valid; so may be the
// credentials of another server, which STS does not know.
func (p *credentialsChecks) callerFailed(ctx context.Context, err error) tasks.Check {
	e := p.Errors.WrapCaller(err)
	unknown := check.Unknown(e.Code, e.Error())
	switch {
	case p.Storage.Auth.Method == tasks.AuthAccessKey && !p.Identity.IsAWS():
		return p.serverRefuses(ctx, unknown)
	case e.Kind != providers.Unauthenticated:
		return unknown
	}
	return check.FailError(e)
}

// serverRefuses makes a failure if the server does not know the
// credentials that the listing was signed with. Otherwise it returns
// the check that it is given.
func (p *credentialsChecks) serverRefuses(ctx context.Context, otherwise tasks.Check) tasks.Check {
	p.listing.request(ctx)
	if e := p.listing.failure; e != nil && e.Kind == providers.Unauthenticated {
		return check.FailError(e)
	}
	return otherwise
}

// role assumes the role as the jobs will. Then it tries that without
// the external ID, which must fail: if it works, every customer of the
// tool can use this bucket (IAM User Guide, "The confused deputy
// problem").
func (p *credentialsChecks) role(ctx context.Context) tasks.Check {
	role := p.Identity.Role
	session, err := role.Assume(ctx)
	if err != nil {
		return check.FailError(p.Errors.WrapAssumeRole(err, p.account))
	}

	evidence := "acts as " + role.ARN
	if session.ARN != "" {
		evidence = "acts as " + session.ARN
	}
	if !session.Expires.IsZero() {
		evidence += " until " + session.Expires.UTC().Format(time.RFC3339) +
			", renewed as long as jobs run"
	}
	if role.ExternalID == "" {
		return check.OK(evidence + "; the storage says that the role needs no external ID")
	}
	return p.externalID(ctx, evidence)
}

// externalID finds out whether the role requires the external ID.
// evidence is what the role's check has found so far.
func (p *credentialsChecks) externalID(ctx context.Context, evidence string) tasks.Check {
	requires, known := p.Identity.Role.RequiresExternalID(ctx)
	switch {
	case !known:
		return check.OK(evidence + "; whether it requires the external ID could not be found out")
	case requires:
		return check.OK(evidence + "; without the external ID it is refused, as it should be")
	}
	fix := fmt.Sprintf(`Add to the role's trust policy: `+
		`"Condition": {"StringEquals": {"sts:ExternalId": %q}}.`, p.Identity.Role.ExternalID)
	return check.Warn("ExternalIDNotRequired",
		evidence+"; the role does not require the external ID", fix)
}
