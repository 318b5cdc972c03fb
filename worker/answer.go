package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

// retryError asks asynq to run the task again.
type retryError struct {
	pause  time.Duration
	failed bool // whether asynq shall count a failure
	err    error
}

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }

// answer translates a verdict for asynq, which stores the text of err in
// Redis.
func answer(v outcome.Verdict, err error) error {
	switch v.Outcome {
	case outcome.Retry, outcome.Snooze, outcome.Handover:
		return &retryError{v.Pause, v.Outcome == outcome.Retry, err}
	case outcome.Failed:
		return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
	case outcome.Fenced:
		return fmt.Errorf("%w: %w", err, asynq.RevokeTask)
	case outcome.Done, outcome.Obsolete, outcome.Cancelled:
	}
	return nil
}

// endResult returns what asynq shows as the result of a job that has
// ended: the job's result, or its state and its failure.
func endResult(s tasks.Status) []byte {
	if s.State == tasks.StateSucceeded {
		return s.Result
	}
	text, _ := json.Marshal(struct { // texts always marshal
		State   tasks.State    `json:"state"`
		Failure *tasks.Failure `json:"failure,omitempty"`
	}{s.State, s.Failure})
	return text
}

// isFailure tells asynq which errors count as failures of a task.
func isFailure(err error) bool {
	var again *retryError
	return !errors.As(err, &again) || again.failed
}

// retryDelay tells asynq how long a task waits for its next run. An
// error without a verdict comes from asynq itself. A task whose worker
// died has waited long enough. A task that asynq was asked to cancel
// runs once more, to find out that its job has ended.
func retryDelay(n int, err error, _ *asynq.Task) time.Duration {
	var again *retryError
	switch {
	case errors.As(err, &again):
		return again.pause
	case errors.Is(err, asynq.ErrLeaseExpired), errors.Is(err, context.Canceled):
		return 0
	}
	return outcome.BackOff(n)
}
