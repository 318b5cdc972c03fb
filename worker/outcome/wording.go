package outcome

import (
	"encoding/json"
	"errors"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
	"github.com/stevedore-jobs/stevedore/tasks/payloadsize"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
	"github.com/stevedore-jobs/stevedore/tasks/walk"
)

// Wording makes the texts that leave the worker: failures, log lines,
// and errors that asynq stores. It removes what looks like a secret,
// and gives settings the names that the operator knows. Errors are made
// without secrets; the redaction here is a second protection.
type Wording struct {
	// SettingName returns the operator's name for a setting. Nil leaves
	// the identifiers.
	SettingName func(setting.ID) string
	// Limits are those of each job.
	Limits queue.Limits
}

// Text returns a text as it may be logged and shown.
func (w Wording) Text(s string) string {
	return setting.Name(providers.RedactPatterns(s), w.SettingName)
}

// Result returns the JSON of a result, with the names of settings in
// the advice of its checks. Other texts may be keys: they stay as they
// are.
func (w Wording) Result(r tasks.Result) ([]byte, error) {
	// JSON refuses a result that contains itself. To copy it would not
	// end.
	data, err := json.Marshal(r)
	if err != nil || r == nil {
		return data, err
	}
	named := walk.NewCopy(r)
	checks := walk.Find[tasks.Check](named)
	if len(checks) == 0 {
		return data, nil
	}
	for _, c := range checks {
		c.Evidence = setting.Name(c.Evidence, w.SettingName)
		c.Fix = setting.Name(c.Fix, w.SettingName)
	}
	return json.Marshal(named.Interface())
}

// Error returns an error whose text may be stored and shown. asynq
// keeps the text in Redis.
func (w Wording) Error(err error) error {
	if err == nil {
		return nil
	}
	return &shownError{err, w.Text(err.Error())}
}

type shownError struct {
	err  error
	text string
}

func (e *shownError) Error() string { return e.text }
func (e *shownError) Unwrap() error { return e.err }

// Failure describes an error to the user who asked for the job.
func (w Wording) Failure(err error) *tasks.Failure {
	f := w.describe(err)
	f.Message, f.Fix = shorten(w.Text(f.Message)), shorten(w.Text(f.Fix))
	return &f
}

func (w Wording) describe(err error) tasks.Failure {
	f := tasks.Failure{Kind: string(providers.KindOf(err)), Message: err.Error()}
	var ofShard *ShardFailureError
	var invalid *tasks.InvalidError
	var tooLarge *payloadsize.Error
	var e *providers.Error
	switch {
	case errors.As(err, &ofShard):
		return ofShard.Failure
	case errors.As(err, &tooLarge):
		return payloadTooLarge(tooLarge)
	case errors.Is(err, queue.ErrBudget):
		return w.keepsTooMuch(err)
	case errors.Is(err, queue.ErrObjects):
		return w.tooManyObjects()
	case errors.As(err, &invalid):
		f.Kind, f.Fix = string(providers.Invalid), "Correct the payload."
	case errors.Is(err, ErrDeadline):
		f.Kind, f.Message = "timeout", ErrDeadline.Error()
		f.Fix = "Give the job more time, or run more workers."
	case errors.Is(err, ErrTimeout):
		f.Kind, f.Message = "timeout", ErrTimeout.Error()
		f.Fix = "Run more workers, or give the job fewer objects with a longer prefix."
	case errors.Is(err, guard.ErrPanic):
		f.Kind = "internal"
		f.Fix = "This is a defect in Stevedore: report it with the worker's log."
	case errors.As(err, &e):
		f.Code, f.Fix = e.Code, e.Advice()
	}
	return f
}
