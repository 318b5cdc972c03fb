// Package guard runs functions so that their panics become errors. A
// panic in a goroutine would end the process, and with it the jobs of
// everybody else.
//
// It is the only place of Stevedore that starts goroutines:
// deploy/limits refuses a go statement, sync.WaitGroup and errgroup
// elsewhere. So nothing that a goroutine runs, such as the code of a
// job or of a cloud, can end the process.
package guard

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// ErrPanic means that code panicked. It ends what the code was called
// for, such as an attempt at a job, not the process.
var ErrPanic = errors.New("panic in a job")

var errExit = errors.New("the goroutine was ended by runtime.Goexit")

// PanicError is a panic that Call turned into an error. It wraps
// ErrPanic, and not the value of the panic: the value was not meant as
// an error, so nothing may depend on its kind.
type PanicError struct {
	Value any
	Stack string // for the log; not part of the message, which users see
}

// Error returns a message with the value of the panic.
func (e *PanicError) Error() string { return fmt.Sprintf("%v: %v", ErrPanic, e.Value) }

// Unwrap returns ErrPanic.
func (e *PanicError) Unwrap() error { return ErrPanic }

// Call calls do and turns its panic into a *PanicError. A *PanicError
// that do panics with stays as it is: its stack says more. Call cannot
// catch the panics of goroutines that do starts: Go and Group can.
func Call(do func() error) (err error) {
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
// for nil and for all other errors. A caller of Call in a goroutine of a
// library calls Rethrow where the library returns the error.
func Rethrow(err error) {
	var p *PanicError
	if errors.As(err, &p) {
		panic(p) //nolint:forbidigo // the panic is not new: it only changes the goroutine
	}
}
