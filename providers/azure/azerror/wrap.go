package azerror

import (
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// CredentialKind says what requests are authenticated with.
type CredentialKind int

// The kinds of credentials.
const (
	Anonymous CredentialKind = iota
	SAS
	AccountKey
	Token // of the sign-in service
)

// Credentials holds what advice says about the credentials.
type Credentials struct {
	Kind      CredentialKind
	Account   string // the account's name, or a placeholder
	Assignee  string // of a Token, for a role assignment
	Policy    string // the stored access policy of a SAS; may be empty
	Delegated bool   // a SAS was signed with a key of a user, not of the account
}

// Wrapper makes the errors of one storage. It adds to what Classify finds
// the operation, the subject, and advice that needs the storage's
// settings.
type Wrapper struct {
	Storage     tasks.Storage
	Credentials Credentials
	// Redact replaces the secrets that requests were sent with. It must
	// not be nil.
	Redact func(text string) string
}

// Wrap makes the error of an operation on a key; the key is empty when
// the operation is about the container. err must not be nil.
func (w Wrapper) Wrap(op, key string, err error) *providers.Error {
	e := Classify(err)
	e.Op, e.Bucket, e.Key = op, w.Storage.Bucket, key
	if strings.HasPrefix(e.Code, "Container") {
		e.Key = ""
	}
	if e.Fix == "" {
		e.Fix = w.advice(e)
	}
	driver.Redact(e, w.Redact)
	return e
}
