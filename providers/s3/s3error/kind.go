package s3error

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// kindOfCode returns the kind of an error code of S3 or STS. The codes
// are from the lists in their API references. A code that is not here
// has the kind of its HTTP status.
func kindOfCode(code string, status int) providers.Kind {
	switch code {
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
		"TokenRefreshRequired", "RequestTimeTooSkewed", "InvalidSecurity", "NotSignedUp",
		"InvalidClientTokenId", "ExpiredTokenException", "InvalidIdentityToken":
		return providers.Unauthenticated

	case "AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "UnauthorizedAccess":
		return providers.Denied

	case "NoSuchKey", codeNoSuchBucket, "NotFound", "NoSuchVersion":
		return providers.NotFound

	case "PreconditionFailed", "ConditionalRequestConflict", "OperationAborted":
		return providers.Conflict

	case "SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException",
		"RequestLimitExceeded", "TooManyRequests", "BandwidthLimitExceeded":
		return providers.Throttled

	// After the first, these concern one request only: its body was
	// damaged or stalled on the way, or somebody aborted its upload.
	case "InternalError", "BadDigest", "RequestTimeout", "IncompleteBody", "NoSuchUpload":
		return providers.Unavailable

	case "InvalidObjectState", "PermanentRedirect", "AuthorizationHeaderMalformed",
		"IllegalLocationConstraintException", "InvalidBucketName", "MethodNotAllowed",
		"NotImplemented", "InvalidRange", "EntityTooLarge", "KeyTooLongError", "BadRequest",
		"RegionDisabledException", "ValidationError":
		return providers.Invalid
	}
	if strings.HasPrefix(code, "KMS.") {
		return providers.Denied
	}
	return driver.KindOfStatus(status)
}
