package cli

import (
	"context"
	"errors"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/settings"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// ExitCode tells a script how a command ended.
type ExitCode int

// The exit codes of all commands. Scripts rely on them: a code never
// changes its meaning.
const (
	ExitOK          ExitCode = 0
	ExitFailed      ExitCode = 1
	ExitInvalid     ExitCode = 2
	ExitFaults      ExitCode = 3
	ExitLeftOut     ExitCode = 4
	ExitEnded       ExitCode = 5
	ExitInterrupted ExitCode = 130
)

// ExitCodes returns all exit codes in order. Each String is a row of
// the table in the README.
func ExitCodes() []ExitCode {
	return []ExitCode{
		ExitOK, ExitFailed, ExitInvalid, ExitFaults, ExitLeftOut, ExitEnded, ExitInterrupted,
	}
}

// String says what the code means.
func (c ExitCode) String() string {
	switch c {
	case ExitOK:
		return "success"
	case ExitFailed:
		return "the job failed or was cancelled, or the command could not do its work"
	case ExitInvalid:
		return "the command, the payload or a setting is wrong; nothing was done"
	case ExitFaults:
		return "a verification found faults"
	case ExitLeftOut:
		return "with `--fail-on-errors`: the job succeeded, but left objects out"
	case ExitEnded:
		return "the job had ended before; the command changed nothing"
	case ExitInterrupted:
		return "Ctrl-C or SIGTERM ended the command"
	}
	return "unknown"
}

// ExitError fails a command with an exit code of its own.
type ExitError struct {
	Code ExitCode
	Err  error // what to print; nil if the command has said everything
}

// Error implements error.
func (e *ExitError) Error() string {
	if e.Err == nil {
		return "failed"
	}
	return e.Err.Error()
}

// Unwrap returns what is to be printed.
func (e *ExitError) Unwrap() error { return e.Err }

// Exit makes an error that ends a command with an exit code. The error
// is printed; nil if the command has already said everything.
func Exit(code ExitCode, err error) error { return &ExitError{code, err} }

// Code returns the exit code of a command that ended with err.
func Code(err error) ExitCode {
	var exit *ExitError
	var payload *tasks.InvalidError
	var environ *settings.InvalidError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		return exit.Code
	case errors.As(err, &payload), errors.As(err, &environ):
		return ExitInvalid
	case errors.Is(err, context.Canceled): // only a signal cancels a command
		return ExitInterrupted
	}
	return ExitFailed
}

// Invalid marks an error as a mistake of the caller: nothing was done.
// nil stays nil.
func Invalid(err error) error {
	if err == nil {
		return nil
	}
	return Exit(ExitInvalid, err)
}
