package s3

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/stevedore-jobs/stevedore/providers"
)

const (
	serviceSTS = "STS"
	opAssume   = "assume-role" // Error.Op of everything that goes wrong before a bucket is asked

	clockAdvice = "Set the clock of the worker"
)

// serviceOf is the service that gave an error: the innermost one, because a
// call of S3 that needs credentials first carries the error of the STS call
// inside its own.
func serviceOf(err error) string {
	service := ""
	for op := (*smithy.OperationError)(nil); errors.As(err, &op); err = op.Err {
		service = op.ServiceID
	}
	return service
}

// ofIdentity turns an error of STS into one that cannot be taken for the
// bucket's.
func ofIdentity(e *providers.Error, err error) *providers.Error {
	if serviceOf(err) != serviceSTS {
		return e
	}
	e.Op = opAssume
	if e.Code == "NotS3" {
		e.Code, e.Detail = "NotSTS", strings.ReplaceAll(e.Detail, "S3's", "STS's")
		e.Fix = "Check the STS endpoint that the workers are set to."
	}
	if fix := stsAdvice(e); fix != "" {
		e.Fix = fix
	}
	return e
}

// stsAdvice is about the worker's own identity, not about the payload's
// credentials.
func stsAdvice(e *providers.Error) string {
	switch {
	case strings.Contains(e.Detail, "Signature expired"), strings.Contains(e.Detail, "Signature not yet current"):
		return clockAdvice + ": " + e.Detail + "."
	case e.Code == "InvalidClientTokenId", e.Code == "SignatureDoesNotMatch", e.Code == "ExpiredToken", e.Code == "ExpiredTokenException":
		return "The worker's own AWS credentials are unknown, mistyped or expired: let the workers' operator renew them."
	case e.Code == "RegionDisabledException":
		return "STS is switched off in this region for the worker's account: let its operator activate it, or set the storage's region to one where it is on."
	case e.Code == "ValidationError":
		return "Correct role_arn or external_id: STS does not take them (" + e.Detail + ")."
	case e.Code == "IDPCommunicationError", strings.HasPrefix(e.Code, "InvalidIdentityToken"):
		return "The worker's web identity is refused: let the workers' operator check AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE."
	}
	return ""
}

// roleFault adds which role could not be assumed, and why that may be.
func (b *bucket) roleFault(e *providers.Error) {
	if b.who.role == nil {
		e.Key = "worker-identity"
		return
	}
	e.Key = b.who.role.arn
	if e.Kind == providers.Denied {
		e.Fix = b.who.role.deniedAdvice(e.Detail, "the worker's account (verify-connection tells its ID)")
	}
}

// deniedAdvice lists all that an AccessDenied of AssumeRole can mean: STS
// gives the same for each.
func (r *role) deniedAdvice(detail, account string) string {
	if strings.Contains(detail, "no identity-based policy allows the sts:AssumeRole action") {
		return fmt.Sprintf("Let the workers' operator allow sts:AssumeRole on %s in the IAM policy of the worker's own identity.", r.arn)
	}
	condition := "its trust policy asks for an external ID, and the storage gives none: set external_id"
	if r.externalID != "" {
		condition = fmt.Sprintf("its trust policy asks for another external ID than %q (Condition StringEquals sts:ExternalId)", r.externalID)
	}
	return fmt.Sprintf("STS does not say which of these it is: (1) there is no role %s; (2) its trust policy does not name %s as principal; (3) %s.",
		r.arn, account, condition)
}
