package s3

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// kindOfCode says what a code of the S3 API means. The source is the API
// reference's list of error codes; codes that are not here mean what their
// status means.
func kindOfCode(code string, status int) providers.Kind {
	switch code {
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "RequestTimeTooSkewed",
		"InvalidSecurity", "NotSignedUp", "InvalidClientTokenId", "ExpiredTokenException", "InvalidIdentityToken":
		return providers.Unauthenticated
	case "AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "UnauthorizedAccess":
		return providers.Denied
	case "NoSuchKey", "NoSuchBucket", "NotFound", "NoSuchVersion":
		return providers.NotFound
	case "PreconditionFailed", "ConditionalRequestConflict", "OperationAborted":
		return providers.Conflict
	case "SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests", "BandwidthLimitExceeded":
		return providers.Throttled
	// The last four are accidents of one request: a body damaged or stalled
	// on the way, an upload that somebody aborted.
	case "InternalError", "BadDigest", "RequestTimeout", "IncompleteBody", "NoSuchUpload":
		return providers.Unavailable
	case "InvalidObjectState", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException",
		"InvalidBucketName", "MethodNotAllowed", "NotImplemented", "InvalidRange", "EntityTooLarge", "KeyTooLongError", "BadRequest",
		"RegionDisabledException", "ValidationError":
		return providers.Invalid
	}
	if strings.HasPrefix(code, "KMS.") {
		return providers.Denied
	}
	return driver.KindOfStatus(status)
}
