package job

import (
	"errors"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// This file alone decides whether an error concerns one object or the
// whole job.

// The codes of objects that the bucket refused to read. They appear in
// the job's error list.
const (
	CodeNotFound = "not-found" // removed since it was listed
	CodeChanged  = "changed"   // replaced since it was listed
	CodeDenied   = "denied"    // these credentials may not read this object
	CodeInvalid  = "invalid"   // the cloud rejects the request for this object
)

// AsObjectError converts err to a line of the job's error list if err
// concerns only the object with this key. Otherwise it returns false,
// and the job must return err.
//
// Two sorts of error concern one object: those that have an ObjectCode
// method, and a *providers.Error that names a key and has the kind
// NotFound, Conflict, Denied or Invalid. A failed write concerns the
// job, except Invalid, which means that the bucket cannot store this
// key.
func AsObjectError(key string, err error) (tasks.ObjectError, bool) {
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

// minDenials is how many objects of one of several shards must be
// denied before the denials concern the job. A few denied objects may
// be exceptions, for example archived ones.
const minDenials = 10

// denials decides whether denied objects concern the whole job. One
// denied object is a line of the error list. If the bucket denies every
// object of a shard, the credentials are wrong and the job must fail at
// once.
//
// The zero value is ready. It is not safe for concurrent use.
type denials struct {
	asked, denied int
	first         error
}

// add records what one object shows: its line of the error list, or
// nil, and the error behind it.
func (d *denials) add(line *tasks.ObjectError, err error) {
	d.asked++
	if line == nil || line.Code != CodeDenied && line.Code != CodeInvalid {
		return
	}
	d.denied++
	if d.first == nil {
		d.first = err
	}
}

// asJobError returns the first denial if every object of the shard was
// denied, else nil. It takes at least minDenials of them, or only one
// if the shard is the whole job.
func (d *denials) asJobError(s Shard) error {
	if d.denied < d.asked || d.denied < minDenials && (s.After != "" || s.More) {
		return nil
	}
	return d.first
}
