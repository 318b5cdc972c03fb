package producer

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Result decodes the result of a job that succeeded, to the type
// of its kind. The kind must be built in. Client.Result knows
// other kinds, too.
func Result(s tasks.Status) (tasks.Result, error) { return decodeResult(tasks.Kinds(), s) }

// Result decodes the result of a job that succeeded, to the type
// of its kind.
func (c *Client) Result(s tasks.Status) (tasks.Result, error) {
	return decodeResult(c.jobs.kinds, s)
}

func decodeResult(kinds tasks.Table, s tasks.Status) (tasks.Result, error) {
	if err := checkSucceeded(s); err != nil {
		return nil, err
	}
	kind, err := kinds.Lookup(s.Kind)
	if err != nil {
		return nil, err
	}
	return kind.DecodeResult(s.Result)
}

// ResultAs decodes the result of a job that succeeded, to a type:
//
//	manifest, err := producer.ResultAs[tasks.BuildManifestResult](status)
//
// It returns an error if the job has not succeeded, or is of
// another kind. The kind need not be built in.
func ResultAs[R tasks.Result](s tasks.Status) (R, error) {
	var zero R
	if s.Kind != zero.Kind() {
		return zero, fmt.Errorf("job %s is a %s job, its result is not a %T", s.ID, s.Kind, zero)
	}
	if err := checkSucceeded(s); err != nil {
		return zero, err
	}
	return tasks.DecodeResult[R](s.Result)
}

func checkSucceeded(s tasks.Status) error {
	if s.State != tasks.StateSucceeded {
		return fmt.Errorf("job %s has no result: it is %s", s.ID, s.State)
	}
	return nil
}
