package gcserror

import (
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Wrapper makes the errors of one storage. It adds to what Classify finds
// the operation, the subject, and advice that needs the storage's
// settings.
type Wrapper struct {
	Storage tasks.Storage
	// Member is the account that sends the requests, as IAM policies name
	// it. Empty means that it is unknown.
	Member string
	// Redact replaces the secrets that requests were sent with. It must
	// not be nil.
	Redact func(text string) string
}

// Wrap makes the error of an operation on a key; the key is empty when
// the operation is about the bucket. err must not be nil.
func (w Wrapper) Wrap(op, key string, err error) *providers.Error {
	e := Classify(err)
	e.Op, e.Bucket, e.Key = op, w.Storage.Bucket, key
	if e.Code == CodeNoSuchBucket {
		e.Key = ""
	}
	if e.Fix == "" {
		e.Fix = w.advice(e)
	}
	driver.Redact(e, w.Redact)
	return e
}
