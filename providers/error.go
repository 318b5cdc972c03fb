package providers

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind says what an error means to the code that must react to it. A
// Kind is itself an error, so errors.Is(err, providers.NotFound)
// works on every error that wraps an *Error.
type Kind string

// The kinds. They are few on purpose: the cloud's own code is in
// Error.Code.
const (
	Invalid         Kind = "invalid"         // the request can never succeed as it is
	Unauthenticated Kind = "unauthenticated" // the cloud does not know these credentials
	Denied          Kind = "denied"          // it knows them, and they lack the right
	NotFound        Kind = "not-found"       // no such bucket or object
	Conflict        Kind = "conflict"        // a precondition (if-absent, if-match) did not hold
	Throttled       Kind = "throttled"       // too many requests: try again later, and slower
	Unavailable     Kind = "unavailable"     // the network or the server failed: try again later
	Blocked         Kind = "blocked"         // the operator's egress rules forbid the address
)

// Error implements error.
func (k Kind) Error() string { return string(k) }

// Error describes the failure of an operation on a bucket. It never
// holds a secret.
type Error struct {
	Op         string        // open, list, stat, get, put or delete
	Bucket     string        // bucket name
	Key        string        // empty when the operation is about the bucket
	Kind       Kind          // never empty
	Code       string        // the cloud's own code, for example NoSuchKey; may be empty
	Status     int           // HTTP status; 0 without an HTTP answer
	RequestID  string        // the cloud's own, for its support
	Detail     string        // the cause in words; may be empty if Err says it
	Fix        string        // what to do; empty means Kind's general advice
	RetryAfter time.Duration // how long the server asks to wait; 0 if it did not say
	Err        error         // the cause, already redacted; may be nil
}

// Error returns a text such as "get a/1.jpg: denied: AccessDenied:
// <detail>": operation, subject, kind and cause, each once.
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

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Advice tells what to do about the error: Fix, or general advice for
// its kind.
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

// KindOf finds the kind in an error's tree. It returns Unavailable
// for an error without a kind, an ended context included, and "" for
// nil.
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

// Failed wraps an error that did not come from a cloud into an
// *Error, with operation, subject and the kind that KindOf finds. It
// returns nil and an *Error as they are.
func Failed(op, bucket, key string, err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return &Error{Op: op, Bucket: bucket, Key: key, Kind: KindOf(err), Err: err}
}

// IsContext reports whether err only says that the caller's own
// context has ended.
func IsContext(ctx context.Context, err error) bool {
	return ctx.Err() != nil &&
		(errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}
