package worker

import (
	"errors"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// failureOf describes an error to the user who asked for the job. Errors are
// made without secrets; the redaction here is a second protection.
func failureOf(err error) *tasks.Failure {
	f := describe(err)
	f.Message = providers.Redact(f.Message)
	f.Fix = providers.Redact(f.Fix)
	return &f
}

func describe(err error) tasks.Failure {
	f := tasks.Failure{Kind: string(providers.KindOf(err)), Message: err.Error()}
	var worded *job.FailureError
	var invalid *tasks.InvalidError
	var e *providers.Error
	switch {
	case errors.As(err, &worded):
		return worded.Failure
	case errors.As(err, &invalid):
		f.Kind, f.Fix = string(providers.Invalid), "Correct the payload."
	case errors.Is(err, errDeadline):
		f.Kind, f.Message = "timeout", errDeadline.Error()
		f.Fix = "Give the job more time, or run more workers."
	case errors.Is(err, errTimeout):
		f.Kind, f.Message = "timeout", errTimeout.Error()
		f.Fix = "Run more workers, or give the job fewer objects with a longer prefix."
	case errors.Is(err, job.ErrPanic):
		f.Kind = "internal"
		f.Fix = "This is a defect in Stevedore: report it with the worker's log."
	case errors.As(err, &e):
		f.Code, f.Fix = e.Code, e.Advice()
	}
	return f
}
