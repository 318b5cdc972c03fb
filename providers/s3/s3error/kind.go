package s3error

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
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
	switch {
	case strings.HasPrefix(code, "KMS."):
		return providers.Denied
	case refusesPathStyle(code):
		return providers.Invalid
	}
	return providers.KindOfStatus(status)
}

// meaningOf returns the code of AWS for what a code and its message
// mean. Nearly always that is the code itself. Garage reports wrong
// credentials as AccessDenied, and only its messages tell them from
// missing rights.
func meaningOf(code, message string) string {
	switch {
	case code != "AccessDenied":
	case strings.HasSuffix(message, "Invalid signature"):
		return "SignatureDoesNotMatch"
	case strings.Contains(message, "No such key: "):
		return "InvalidAccessKeyId"
	}
	return code
}

// refusesPathStyle reports whether a code means that the bucket must be
// part of the host name. The codes are those of Alibaba OSS, Tencent
// COS, Huawei OBS and Volcengine TOS.
func refusesPathStyle(code string) bool {
	switch code {
	case "SecondLevelDomainForbidden", "PathStyleDomainForbidden",
		"VirtualHostDomainRequired", "InvalidPathAccess":
		return true
	}
	return false
}
