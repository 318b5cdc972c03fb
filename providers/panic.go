package providers

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// PanicError is a panic in a goroutine that a bucket or a wrapper has
// started, where it would have ended the process. Guard recovers it,
// and Rethrow panics with it in the goroutine of the caller.
type PanicError struct {
	Value any
	Stack string // of the goroutine that panicked; for the log
}

// Error returns the value of the panic as text.
func (p *PanicError) Error() string { return fmt.Sprint(p.Value) }

// Unwrap returns the value of the panic, if it is an error.
func (p *PanicError) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// Guard calls do, and turns its panic into a *PanicError. A
// *PanicError that do panics with stays as it is: its stack says
// more. Guard cannot catch the panics of goroutines that do starts.
func Guard(do func() error) (err error) {
	defer func() {
		switch value := recover().(type) {
		case nil:
		case *PanicError:
			err = value
		default:
			err = &PanicError{Value: value, Stack: string(debug.Stack())}
		}
	}()
	return do()
}

// Rethrow panics with the *PanicError that err holds. It does nothing
// for nil and for all other errors. Who calls Guard in a goroutine
// calls Rethrow where the result is awaited.
func Rethrow(err error) {
	var p *PanicError
	if errors.As(err, &p) {
		panic(p) //nolint:forbidigo // the panic is not new: it only changes the goroutine
	}
}
