package s3error

import (
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Wrapper makes the errors of one storage: it classifies them, and adds
// the operation, the subject, and advice that depends on the storage.
type Wrapper struct {
	Storage tasks.Storage
	// Redact replaces the secrets that requests were signed with. It
	// must not be nil.
	Redact func(text string) string
}

// Wrap makes the error of an operation on a key; the key is empty when
// the operation is about the bucket. err must not be nil.
func (w Wrapper) Wrap(op, key string, err error) *providers.Error {
	e := Classify(err)
	e.Bucket = w.Storage.Bucket
	switch {
	case e.Op == OpAssumeRole: // about the credentials, not about the key
		w.addRole(e)
	case e.Code == codeNoSuchBucket:
		e.Op, e.Key = op, ""
	default:
		e.Op, e.Key = op, key
		w.addAdvice(e)
	}
	w.checkEndpoint(e)
	driver.Redact(e, w.Redact)
	return e
}

// addAdvice adds advice that depends on the operation and the storage.
func (w Wrapper) addAdvice(e *providers.Error) {
	switch {
	case e.Code == "AccessDenied" && e.Kind == providers.Denied && e.Fix == "":
		e.Fix = fmt.Sprintf("Allow %s on %s. The server does not say why it refused; "+
			"it may also be the bucket policy, a public access block, the objects' KMS key, "+
			"requester pays (requester_pays), another owner than expected_owner, "+
			"a VPC endpoint policy.", Action(e.Op), w.resource(e.Op))
	case w.Storage.Endpoint == "" && strings.HasPrefix(e.Fix, unknownHost):
		e.Fix = "AWS has no such host: check the storage's region and the bucket name."
	}
}

// resource returns the ARN on which an operation must be allowed.
func (w Wrapper) resource(op string) string {
	if op == "list" || op == "versions" {
		return policy.S3Resource(w.Storage)
	}
	return policy.S3Objects(w.Storage) + w.Storage.Dir() + "*"
}

// ForAllKeys returns a copy of an error. If its advice is to allow an
// action on one key, the copy's advice is for all keys of the storage.
func (w Wrapper) ForAllKeys(e *providers.Error) *providers.Error {
	c := *e
	c.Fix = e.Advice()
	if e.Key != "" && strings.HasPrefix(c.Fix, "Allow ") {
		one := policy.S3Objects(w.Storage) + e.Key
		c.Fix = strings.Replace(c.Fix, one, w.resource(e.Op), 1)
	}
	return &c
}
