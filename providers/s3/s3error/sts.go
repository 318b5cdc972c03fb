package s3error

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// OpAssumeRole is the operation in the errors of getting credentials,
// which happens before any request to the bucket.
const OpAssumeRole = "assume-role"

// IsSTS reports whether an error is of a call to STS. A call to S3 that
// needs credentials first wraps the error of the call to STS, so the
// innermost service counts.
func IsSTS(err error) bool {
	service := ""
	for op := (*smithy.OperationError)(nil); errors.As(err, &op); err = op.Err {
		service = op.ServiceID
	}
	return service == "STS"
}

// asSTS changes a classified error so that it reads as one of STS, not
// of the bucket.
func asSTS(e *providers.Error) {
	e.Op = OpAssumeRole
	if e.Code == codeNotS3 {
		e.Code, e.Detail = "NotSTS", strings.ReplaceAll(e.Detail, "S3's", "STS's")
		e.Fix = "Check the STS endpoint of the workers, " + setting.STSEndpoint.String() + "."
	}
	if fix := stsAdvice(e); fix != "" {
		e.Fix = fix
	}
}

// stsAdvice returns the advice on an error of STS; it may be empty. The
// advice is about the worker's own identity, because operations on
// buckets send no other credentials to STS.
func stsAdvice(e *providers.Error) string {
	switch {
	case isClockSkew(e.Detail):
		return clockAdvice + ": " + e.Detail + "."
	case e.Code == "InvalidClientTokenId", e.Code == "SignatureDoesNotMatch",
		e.Code == "ExpiredToken", e.Code == "ExpiredTokenException":
		return "The worker's own AWS credentials are unknown, mistyped or expired: " +
			"let the workers' operator renew them."
	case e.Code == "RegionDisabledException":
		return "STS is switched off in this region for the worker's account: let its operator " +
			"activate it, or set the storage's region to one where it is on."
	case e.Code == "ValidationError":
		return "Correct role_arn or external_id: STS does not accept them (" + e.Detail + ")."
	case e.Code == "IDPCommunicationError", strings.HasPrefix(e.Code, "InvalidIdentityToken"):
		return "The worker's web identity is refused: " +
			"let the workers' operator check AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE."
	}
	return ""
}

// isClockSkew reports whether STS refused a signature for its time.
func isClockSkew(message string) bool {
	return strings.Contains(message, "Signature expired") ||
		strings.Contains(message, "Signature not yet current")
}
