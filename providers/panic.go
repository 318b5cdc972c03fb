package providers

import "fmt"

// PanicError is the panic of a bucket's code in a goroutine of this package,
// which would have ended the process. The goroutine of the caller panics with
// it, as if it had run the code itself.
type PanicError struct {
	Value any
	Stack string // of the goroutine that panicked; for the log
}

// Error names the value that was panicked with.
func (p *PanicError) Error() string { return fmt.Sprint(p.Value) }

// Unwrap is the value, if it is an error.
func (p *PanicError) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}
