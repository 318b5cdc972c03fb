package s3error

import (
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// addRole adds to an error of STS which role could not be assumed, and
// the possible reasons.
func (w Wrapper) addRole(e *providers.Error) {
	if w.Storage.Auth.Method != tasks.AuthAssumeRole {
		e.Key = tasks.AuthWorkerIdentity
		return
	}
	e.Key = w.Storage.Auth.RoleARN
	if e.Kind == providers.Denied {
		e.Fix = w.roleAdvice(e.Detail, "the worker's account (verify-connection shows its ID)")
	}
}

// WrapAssumeRole makes the error of assuming the storage's role. The
// account is the worker's; empty means that it is unknown. err must not
// be nil.
func (w Wrapper) WrapAssumeRole(err error, account string) *providers.Error {
	e := w.Wrap(OpAssumeRole, "", err)
	if e.Kind == providers.Denied && account != "" {
		e.Fix = w.Redact(w.roleAdvice(e.Detail, "the worker's account "+account))
	}
	return e
}

// roleAdvice lists the possible reasons why a role cannot be assumed:
// STS gives the same AccessDenied for each.
func (w Wrapper) roleAdvice(message, account string) string {
	role, externalID := w.Storage.Auth.RoleARN, w.Storage.Auth.ExternalID
	if strings.Contains(message, "no identity-based policy allows the sts:AssumeRole action") {
		return "Let the workers' operator allow sts:AssumeRole on " + role +
			" in the IAM policy of the worker's own identity."
	}

	condition := "its trust policy asks for an external ID, and the storage gives none: " +
		"set external_id"
	if externalID != "" {
		condition = fmt.Sprintf("its trust policy asks for another external ID than %q "+
			"(Condition StringEquals sts:ExternalId)", externalID)
	}
	return fmt.Sprintf("STS does not say which of these it is: (1) there is no role %s; "+
		"(2) its trust policy does not name %s as principal; (3) %s.", role, account, condition)
}

// WrapCaller makes the error of asking STS whose the credentials are.
// With an access key it is about the payload's credentials, otherwise
// about the worker's. err must not be nil.
func (w Wrapper) WrapCaller(err error) *providers.Error {
	e := Classify(err)
	e.Op, e.Key, e.Bucket = "get-caller-identity", "worker", w.Storage.Bucket
	if w.Storage.Auth.Method == tasks.AuthAccessKey {
		e.Key = "access key " + w.Storage.Auth.AccessKeyID
		if fix := accessKeyAdvice(e); fix != "" {
			e.Fix = fix
		}
	}
	driver.Redact(e, w.Redact)
	return e
}

// accessKeyAdvice returns the advice on an access key that STS refused.
// It names the fields of the payload.
func accessKeyAdvice(e *providers.Error) string {
	switch {
	case strings.HasPrefix(e.Fix, clockAdvice):
		return ""
	case e.Code == "InvalidClientTokenId":
		return "The access key ID (access_key_id) is unknown or deleted; " +
			"one that starts with ASIA needs its session_token."
	case e.Code == "SignatureDoesNotMatch":
		return "Check the secret access key (secret_access_key) " +
			"for typing errors and white space."
	case e.Kind == providers.Unauthenticated:
		return "The temporary credentials have expired: " +
			"give new ones, with their session_token."
	}
	return ""
}
