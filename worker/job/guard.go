package job

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/stevedore-jobs/stevedore/providers"
)

// ErrPanic means that a job's code panicked. That ends the attempt, and must
// not end the worker.
var ErrPanic = errors.New("panic in a job")

// PanicError is a panic turned into an error. It is ErrPanic.
type PanicError struct {
	Value any
	Stack string // for the log; not part of the message, which people are shown
}

// Error names the value that was panicked with.
func (e *PanicError) Error() string { return fmt.Sprintf("%v: %v", ErrPanic, e.Value) }

// Unwrap makes it ErrPanic.
func (e *PanicError) Unwrap() error { return ErrPanic }

// Guard runs code of a job and turns its panic into a *PanicError. It cannot
// see the panics of goroutines that do starts: Each and Ordered guard their
// own.
func Guard(do func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *providers.PanicError: // of a goroutine of a bucket's, whose stack tells more than this one's
			err = &PanicError{r.Value, r.Stack}
		default:
			err = &PanicError{r, string(debug.Stack())}
		}
	}()
	return do()
}
