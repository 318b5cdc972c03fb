package providers

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind is what an error means for the one who must act on it. A Kind is
// itself an error, so errors.Is(err, providers.NotFound) works on anything
// that holds an *Error.
type Kind string

// The kinds. They are few on purpose: the cloud's own code stays in
// Error.Code.
const (
	Invalid         Kind = "invalid"         // the request can never succeed as it is
	Unauthenticated Kind = "unauthenticated" // the cloud does not know these credentials
	Denied          Kind = "denied"          // it knows them, and they may not
	NotFound        Kind = "not-found"       // no such bucket or object
	Conflict        Kind = "conflict"        // a precondition (if-absent, if-match) did not hold
	Throttled       Kind = "throttled"       // too many requests: slower, later
	Unavailable     Kind = "unavailable"     // network or server trouble: again, later
	Blocked         Kind = "blocked"         // the operator's egress rules forbid the address
)

// Error implements error.
func (k Kind) Error() string { return string(k) }

// Error is how an operation on a bucket failed. It never holds a secret.
type Error struct {
	Op         string        // open, list, stat, get, put or delete
	Bucket     string        // bucket name
	Key        string        // empty when the operation is about the bucket
	Kind       Kind          // never empty
	Code       string        // the cloud's own code, for example NoSuchKey; may be empty
	Status     int           // HTTP status; 0 without an HTTP answer
	RequestID  string        // the cloud's own, for its support
	Detail     string        // the cause in words; may be empty when Err says it
	Fix        string        // what to do; empty means Kind's general advice
	RetryAfter time.Duration // when the server said how long to wait
	Err        error         // the cause, already redacted; may be nil
}

// Error reads "get a/1.jpg: denied: AccessDenied: <detail>": operation,
// subject, kind, cause, each once.
func (e *Error) Error() string {
	subject := e.Key
	if subject == "" {
		subject = "bucket " + e.Bucket
	}
	text := fmt.Sprintf("%s %s: %s", e.Op, subject, e.Kind)
	if e.Code != "" {
		text += ": " + e.Code
	}
	switch {
	case e.Detail != "":
		text += ": " + e.Detail
	case e.Err != nil:
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Advice is what to do about the error: Fix, or what its kind calls for in
// general.
func (e *Error) Advice() string {
	if e.Fix != "" {
		return e.Fix
	}
	switch e.Kind {
	case Unauthenticated:
		return "Check the credentials of the storage: they are unknown, expired or mistyped."
	case Denied:
		return "Grant these credentials the right to " + e.Op + " in bucket " + e.Bucket + "."
	case NotFound:
		if e.Key == "" {
			return "Check the bucket name, its region and the endpoint."
		}
		return "Check the key, and whether the object was removed."
	case Conflict:
		return "Another writer changed " + e.Key + " meanwhile: run the job again."
	case Throttled:
		return "The cloud asks for fewer requests: run fewer workers on this bucket."
	case Unavailable:
		return "Check that the worker reaches the endpoint; the cloud may be having trouble."
	case Blocked:
		return "Ask the worker's operator to allow this address."
	}
	return "Correct the payload."
}

// KindOf finds the kind in an error's tree. An ended context is Unavailable,
// as is an error that tells no kind; nil is "".
func KindOf(err error) Kind {
	var k Kind
	switch {
	case err == nil:
		return ""
	case errors.As(err, &k):
		return k
	}
	return Unavailable
}

// Failed makes the *Error of an operation that failed for a reason no cloud
// told: it keeps the kind that err already has (an ended context has
// Unavailable) and adds operation and subject.
func Failed(op, bucket, key string, err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return &Error{Op: op, Bucket: bucket, Key: key, Kind: KindOf(err), Err: err}
}

// IsContext reports whether an error is only the caller's own context having
// ended.
func IsContext(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}
