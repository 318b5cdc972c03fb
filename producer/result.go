package producer

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Result decodes the result of a job that succeeded, to the type of its
// kind. It knows the built-in kinds and those that are given.
func Result(s tasks.Status, kinds ...tasks.Kind) (tasks.Result, error) {
	if err := checkSucceeded(s); err != nil {
		return nil, err
	}
	kind, err := append(tasks.Kinds(), kinds...).Lookup(s.Kind)
	if err != nil {
		return nil, err
	}
	return kind.DecodeResult(s.Result)
}

// ResultAs decodes the result of a job that succeeded, to a type:
//
//	manifest, err := producer.ResultAs[tasks.BuildManifestResult](status)
//
// It returns an error if the job has not succeeded, or is of another kind.
func ResultAs[R tasks.Result](s tasks.Status) (R, error) {
	var r R
	if s.Kind != r.Kind() {
		return r, fmt.Errorf("job %s is a %s job, its result is not a %T", s.ID, s.Kind, r)
	}
	if err := checkSucceeded(s); err != nil {
		return r, err
	}
	d := json.NewDecoder(bytes.NewReader(s.Result))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("result of job %s: %w", s.ID, err)
	}
	return r, nil
}

func checkSucceeded(s tasks.Status) error {
	if s.State != tasks.StateSucceeded {
		return fmt.Errorf("job %s has no result: it is %s", s.ID, s.State)
	}
	return nil
}
