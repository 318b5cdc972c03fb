package head

import (
	"errors"
	"fmt"
)

// The codes of an Error, as the job's error list shows them.
const (
	CodeUnsupported = "unsupported-format" // an image of a type that cannot be read
	CodeCorrupt     = "corrupt-image"      // a broken image, or no image
	CodeEmpty       = "empty-object"       // an object of no bytes
	CodeUnusableKey = "unusable-key"       // a key that labelling tools cannot use
)

// Error is a problem of one image.
type Error struct {
	Code   string // one of the codes, or a caller's own
	Type   Type   // as the content shows it; empty if unknown
	Detail string // the cause in words
	Err    error  // the decoder's; may be nil
}

// Error returns the cause in words.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Detail + ": " + e.Err.Error()
	}
	return e.Detail
}

// Unwrap returns the decoder's error.
func (e *Error) Unwrap() error { return e.Err }

// ObjectCode returns the code for the job's error list. Package job
// calls it.
func (e *Error) ObjectCode() string { return e.Code }

// Corrupt makes the error of a broken image. Its detail is formatted as
// by fmt.Sprintf.
func Corrupt(t Type, format string, args ...any) error {
	return &Error{Code: CodeCorrupt, Type: t, Detail: fmt.Sprintf(format, args...)}
}

// IgnoreShort returns nil for ErrShort, and all other errors as they
// are.
func IgnoreShort(err error) error {
	if errors.Is(err, ErrShort) {
		return nil
	}
	return err
}
