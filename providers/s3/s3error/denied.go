package s3error

import (
	"fmt"
	"strings"
)

// Action returns the IAM action that an operation needs.
func Action(op string) string {
	switch op {
	case "list":
		return "s3:ListBucket"
	case "stat", "get":
		return "s3:GetObject"
	case "put":
		return "s3:PutObject"
	case "delete":
		return "s3:DeleteObject"
	case "versions":
		return "s3:ListBucketVersions"
	case "abort":
		return "s3:AbortMultipartUpload"
	}
	return ""
}

// denial holds what the long message of AccessDenied says: "User: A is
// not authorized to perform: s3:X on resource: R because no
// identity-based policy allows the s3:X action".
type denial struct {
	action   string // empty when the message is not in the long form
	resource string
	reason   string // what follows "because" or "with an"; may be empty
}

func parseDenial(message string) denial {
	what := after(message, "is not authorized to perform: ")
	what, because, _ := strings.Cut(what, " because ")
	what, with, _ := strings.Cut(what, " with an ")
	action, _, _ := strings.Cut(what, " ")
	resource := after(what, " on ")
	return denial{
		action:   action,
		resource: strings.Trim(strings.TrimPrefix(resource, "resource: "), `"`),
		reason:   because + with,
	}
}

// DeniedAction returns the IAM action that AWS's message of an
// AccessDenied names. It is empty when the message does not say why
// access was denied.
func DeniedAction(message string) string {
	return parseDenial(message).action
}

// deniedAdvice returns the advice on an AccessDenied. It is empty when
// the message does not say why access was denied.
func deniedAdvice(message string) string {
	d := parseDenial(message)
	switch {
	case d.action == "":
		return ""
	case strings.Contains(d.reason, "explicit deny"):
		return fmt.Sprintf("Remove the deny of %s on %s: it stands %s.",
			d.action, d.resource, after(d.reason, "explicit deny "))
	case d.action == "kms:GenerateDataKey":
		return "Grant kms:GenerateDataKey on the bucket's KMS key, in the user's IAM policy " +
			"and in the key policy; the key must be in the bucket's region."
	case strings.Contains(d.reason, "no resource-based policy"):
		return fmt.Sprintf("Allow %s on %s in the bucket policy: "+
			"the bucket belongs to another account.", d.action, d.resource)
	}
	return fmt.Sprintf("Allow %s on %s in the user's IAM policy.", d.action, d.resource)
}

// after returns what follows the first mark in a text; empty without a
// mark.
func after(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	return rest
}
