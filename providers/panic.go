package providers

import "fmt"

// PanicError is a panic of a bucket's code in a goroutine that a
// wrapper has started, where it would have ended the process. The
// wrapper recovers it, and panics with the PanicError in the
// goroutine of its caller.
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
