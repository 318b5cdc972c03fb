package job

import (
	"errors"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Codes of the error list for objects that the bucket did not give.
const (
	CodeNotFound = "not-found" // removed since it was listed
	CodeChanged  = "changed"   // replaced since it was listed
	CodeDenied   = "denied"    // these credentials may not read this object
	CodeInvalid  = "invalid"   // the cloud refuses the request for this object
)

// Fault makes the line of the error list for an error that is about one
// object alone: one that tells an ObjectCode, or one of a bucket that has a
// key and the kind NotFound, Conflict, Denied or Invalid. For any other error
// it reports false: that is about the job's surroundings, and a job returns
// it. So is a refusal to write, save an Invalid one: that is about the name.
func Fault(key string, err error) (tasks.ObjectError, bool) {
	var coded interface {
		error
		ObjectCode() string
	}
	if errors.As(err, &coded) {
		return tasks.ObjectError{Key: key, Code: coded.ObjectCode(), Message: coded.Error()}, true
	}
	var e *providers.Error
	if !errors.As(err, &e) || e.Key == "" || e.Op == "put" && e.Kind != providers.Invalid {
		return tasks.ObjectError{}, false
	}
	code := map[providers.Kind]string{
		providers.NotFound: CodeNotFound, providers.Conflict: CodeChanged,
		providers.Denied: CodeDenied, providers.Invalid: CodeInvalid,
	}[e.Kind]
	return tasks.ObjectError{Key: key, Code: code, Message: err.Error()}, code != ""
}
