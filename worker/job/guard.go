package job

import (
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/providers"
)

// ErrPanic means that a job's code panicked. It ends the attempt, not
// the worker.
var ErrPanic = errors.New("panic in a job")

// PanicError is a panic that Guard turned into an error. It wraps
// ErrPanic.
type PanicError struct {
	Value any
	Stack string // for the log; not part of the message, which users see
}

// Error returns a message with the value of the panic.
func (e *PanicError) Error() string { return fmt.Sprintf("%v: %v", ErrPanic, e.Value) }

// Unwrap returns ErrPanic.
func (e *PanicError) Unwrap() error { return ErrPanic }

// Guard calls do and turns its panic into a *PanicError. It cannot
// catch the panics of goroutines that do starts. Each and Prefetch
// guard the goroutines that they start.
func Guard(do func() error) error {
	err := providers.Guard(do)
	var panicked *providers.PanicError
	if errors.As(err, &panicked) {
		return &PanicError{panicked.Value, panicked.Stack}
	}
	return err
}
