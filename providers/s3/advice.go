package s3

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// advice says what to do about an error that S3 told; empty means that its
// kind's general advice will do.
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
		return clockAdvice + serverTime(h) + "."
	case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
		return "The temporary credentials have ended or do not fit together: give new ones, with their session token."
	case "AccessDenied":
		return longDeniedAdvice(e.Detail)
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
	region := regionIn(h, e.Detail)
	if region == "" {
		return "Check the storage's region; one that the account has not enabled is refused like a wrong one."
	}
	return fmt.Sprintf("Set the storage's region to %s.", region)
}

func serverTime(h http.Header) string {
	if date := h.Get("Date"); date != "" {
		return " (the server says it is " + driver.Printable(date) + ")"
	}
	return ""
}

// longDeniedAdvice reads AWS's long form, "User: A is not authorized to
// perform: s3:X on resource: R because no identity-based policy allows the
// s3:X action". It is empty for the short form.
func longDeniedAdvice(detail string) string {
	action := deniedAction(detail)
	if action == "" {
		return ""
	}
	_, rest, _ := strings.Cut(detail, "is not authorized to perform: ")
	rest, because, _ := strings.Cut(rest, " because ")
	rest, with, _ := strings.Cut(rest, " with an ")
	_, resource, _ := strings.Cut(rest, " on ")
	resource = strings.Trim(strings.TrimPrefix(resource, "resource: "), `"`)
	switch {
	case strings.Contains(because+with, "explicit deny"):
		return fmt.Sprintf("Remove the deny of %s on %s: it stands %s.", action, resource, after(because+with, "explicit deny "))
	case action == "kms:GenerateDataKey":
		return "Grant kms:GenerateDataKey on the bucket's KMS key, in the user's IAM policy and in the key policy; the key must be in the bucket's region."
	case strings.Contains(because, "no resource-based policy"):
		return fmt.Sprintf("Allow %s on %s in the bucket policy: the bucket belongs to another account.", action, resource)
	}
	return fmt.Sprintf("Allow %s on %s in the user's IAM policy.", action, resource)
}

// deniedAction is the action that AWS's long form names.
func deniedAction(detail string) string {
	action, _, _ := strings.Cut(after(detail, "is not authorized to perform: "), " ")
	return action
}

// actions are what the operations need.
var actions = map[string]string{
	"list": "s3:ListBucket", "stat": "s3:GetObject", "get": "s3:GetObject", "put": "s3:PutObject", "delete": "s3:DeleteObject",
	"versions": "s3:ListBucketVersions", "abort": "s3:AbortMultipartUpload",
}

// explain completes the advice on an error by what only the storage and the
// operation tell.
func (b *bucket) explain(e *providers.Error) {
	switch {
	case e.Kind == providers.Denied && e.Code == "AccessDenied" && e.Fix == "":
		e.Fix = fmt.Sprintf("Allow %s on %s. The server does not say why it refused; it may also be the bucket policy, a public access"+
			" block, the objects' KMS key, requester pays (requester_pays), another owner than expected_owner, a VPC endpoint policy.",
			actions[e.Op], b.resource(e.Op))
	case b.storage.Endpoint == "" && strings.HasPrefix(e.Fix, unknownHost):
		e.Fix = "AWS has no such host: check the storage's region and the bucket name."
	}
}

// resource is what an action must be allowed on, as IAM writes it.
func (b *bucket) resource(op string) string {
	if op == "list" || op == "versions" {
		return "arn:aws:s3:::" + b.storage.Bucket
	}
	return "arn:aws:s3:::" + b.storage.Bucket + "/" + b.storage.Dir() + "*"
}

func after(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	return rest
}
