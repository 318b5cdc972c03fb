package s3

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

// advice says what to do about an error that S3 told; empty means that its kind's general advice will do.
func advice(e *providers.Error, h http.Header) string {
	switch e.Code {
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "BadRequest", "MovedPermanently":
		return regionAdvice(e, h)
	case "NoSuchBucket":
		return "Check the bucket name and the endpoint; names are unknown outside their partition (China, governments)."
	case "InvalidAccessKeyId":
		return "The access key ID is unknown or deleted; one that starts with ASIA needs its session token."
	case "SignatureDoesNotMatch":
		return "Check the secret access key for typing errors and white space; a proxy that rewrites requests does this too."
	case "RequestTimeTooSkewed":
		return "Set the clock of the worker" + serverTime(h) + "."
	case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
		return "The temporary credentials have ended or do not fit together: give new ones, with their session token."
	case "AccessDenied":
		return deniedAdvice(e.Detail)
	case "InvalidObjectState":
		return "The object is archived (Glacier): restore it first, or leave it out."
	case "AllAccessDisabled", "AccountProblem":
		return "AWS has suspended the bucket or the account: ask AWS support."
	case "SlowDown", "ServiceUnavailable":
		return "The bucket asks for fewer requests: run fewer workers on it."
	case "InvalidBucketName":
		return "Check the bucket name: S3 does not allow this one."
	case "MethodNotAllowed", "NotImplemented":
		return "This server lacks a call that Stevedore needs: check the endpoint, or use another server."
	case "KMS.DisabledException", "KMS.NotFoundException", "KMS.KMSInvalidStateException":
		return "The bucket's KMS key is disabled or gone: ask its owner."
	}
	return ""
}

func regionAdvice(e *providers.Error, h http.Header) string {
	region := h.Get(regionHeader)
	if region == "" {
		region = strings.Trim(after(e.Detail, "expecting "), `'".`) // the quotes differ between servers
	}
	if region == "" {
		return "Check the storage's region; one that the account has not enabled is refused like a wrong one."
	}
	return fmt.Sprintf("Set the storage's region to %s.", clean(region))
}

func serverTime(h http.Header) string {
	if date := h.Get("Date"); date != "" {
		return " (the server says it is " + clean(date) + ")"
	}
	return ""
}

// deniedAdvice reads AWS's long form, "User: A is not authorized to perform: s3:X on resource: R because no identity-based
// policy allows the s3:X action".
func deniedAdvice(detail string) string {
	_, action, long := strings.Cut(detail, "is not authorized to perform: ")
	if !long {
		return "The server does not say why. Possible causes: the action is missing in the user's IAM policy or in the bucket policy," +
			" the bucket blocks public access, the objects' KMS key, requester pays, a VPC endpoint policy."
	}
	action, because, _ := strings.Cut(action, " because ")
	action, resource, _ := strings.Cut(action, " on ")
	resource = strings.TrimPrefix(resource, "resource: ")
	resource = strings.Trim(resource, `"`)
	switch {
	case strings.Contains(because, "explicit deny"):
		return fmt.Sprintf("Remove the deny of %s on %s: it stands %s.", action, resource, after(because, "explicit deny "))
	case action == "kms:GenerateDataKey":
		return "Grant kms:GenerateDataKey on the bucket's KMS key, in the user's IAM policy and in the key policy; the key must be in the bucket's region."
	case strings.Contains(because, "no resource-based policy"):
		return fmt.Sprintf("Allow %s on %s in the bucket policy: the bucket belongs to another account.", action, resource)
	}
	return fmt.Sprintf("Allow %s on %s in the user's IAM policy.", action, resource)
}

func after(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	return rest
}
