package s3error

import (
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// clockAdvice begins the advice on a worker whose clock is wrong.
const clockAdvice = "Set the clock of the worker"

// advice returns what to do about an error that S3 reported. code is
// what its code means. Empty means that the general advice of its kind
// is enough.
func advice(code string, e *providers.Error, answer *awshttp.ResponseError) string {
	switch code {
	case "PermanentRedirect", "AuthorizationHeaderMalformed",
		"IllegalLocationConstraintException", "BadRequest", "MovedPermanently":
		return regionAdvice(e, answer)
	case codeNoSuchBucket:
		return "Check the bucket name and the endpoint; " +
			"names are unknown outside their partition (China, governments)."
	case "InvalidBucketName":
		return "Check the bucket name: S3 does not allow this one."
	case "AccessDenied":
		return deniedAdvice(e.Detail)
	case "AllAccessDisabled", "AccountProblem":
		return "AWS has suspended the bucket or the account: ask AWS support."
	case "InvalidObjectState":
		return "The object is archived (Glacier): restore it first, or leave it out."
	case "SlowDown", "ServiceUnavailable":
		return "The bucket asks for fewer requests: run fewer workers on it."
	case "MethodNotAllowed", "NotImplemented":
		return "This server lacks a call that Stevedore needs: " +
			"check the endpoint, or use another server."
	case "KMS.DisabledException", "KMS.NotFoundException", "KMS.KMSInvalidStateException":
		return "The bucket's KMS key is disabled or gone: ask its owner."
	}
	if refusesPathStyle(code) {
		return "The server wants the bucket in the host name: set addressing to virtual."
	}
	return credentialsAdvice(code, answer.Response.Header)
}

func credentialsAdvice(code string, h http.Header) string {
	switch code {
	case "InvalidAccessKeyId":
		return "The access key ID is unknown or deleted; " +
			"one that starts with ASIA needs its session token."
	case "Unauthorized":
		return "The server does not accept the credentials: " +
			"check the access key ID and the secret access key."
	case "SignatureDoesNotMatch":
		return "Check the secret access key for typing errors and white space; " +
			"a proxy that rewrites requests causes this too."
	case "RequestTimeTooSkewed":
		return clockAdvice + serverTime(h) + "."
	case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
		return "The temporary credentials have expired or do not fit together: " +
			"give new ones, with their session token."
	}
	return ""
}

func regionAdvice(e *providers.Error, answer *awshttp.ResponseError) string {
	region := regionIn(answer, e.Detail)
	if region == "" {
		return "Check the storage's region; " +
			"a region that the account has not enabled is refused like a wrong one."
	}
	return "Set the storage's region to " + region + "."
}

func serverTime(h http.Header) string {
	if date := h.Get("Date"); date != "" {
		return " (the server says it is " + driver.Printable(date) + ")"
	}
	return ""
}
