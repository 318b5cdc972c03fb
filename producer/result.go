package producer

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Result decodes the result of a succeeded job to the type of its kind, for
// callers that take jobs of any kind.
func Result(s tasks.Status) (tasks.Result, error) {
	if s.State != tasks.StateSucceeded {
		return nil, fmt.Errorf("job %s has no result: it is %s", s.ID, s.State)
	}
	kind, err := tasks.Lookup(s.Kind)
	if err != nil {
		return nil, err
	}
	return kind.DecodeResult(s.Result)
}

// ResultAs decodes the result of a succeeded job to its type:
//
//	manifest, err := producer.ResultAs[tasks.BuildManifestResult](status)
//
// It is an error when the job has not succeeded, or is of another kind.
func ResultAs[R tasks.Result](s tasks.Status) (R, error) {
	var zero R
	if s.Kind != zero.Kind() {
		return zero, fmt.Errorf("job %s is a %s job, its result no %T", s.ID, s.Kind, zero)
	}
	r, err := Result(s)
	if err != nil {
		return zero, err
	}
	typed, ok := r.(R)
	if !ok {
		return zero, fmt.Errorf("the result of job %s is a %T, no %T", s.ID, r, zero)
	}
	return typed, nil
}
