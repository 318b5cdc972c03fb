package producer

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Result decodes the result of a succeeded job to the type of its kind, which
// must be built in. Client.Result decodes results of other kinds too.
func Result(s tasks.Status) (tasks.Result, error) { return decodeResult(tasks.Kinds(), s) }

// Result decodes the result of a succeeded job to the type of its kind.
func (c *Client) Result(s tasks.Status) (tasks.Result, error) { return decodeResult(c.kinds, s) }

func decodeResult(kinds tasks.Table, s tasks.Status) (tasks.Result, error) {
	if err := succeeded(s); err != nil {
		return nil, err
	}
	kind, err := kinds.Lookup(s.Kind)
	if err != nil {
		return nil, err
	}
	return kind.DecodeResult(s.Result)
}

func succeeded(s tasks.Status) error {
	if s.State != tasks.StateSucceeded {
		return fmt.Errorf("job %s has no result: it is %s", s.ID, s.State)
	}
	return nil
}

// ResultAs decodes the result of a succeeded job to its type:
//
//	manifest, err := producer.ResultAs[tasks.BuildManifestResult](status)
//
// It is an error when the job has not succeeded, or is of another kind. The
// kind need not be built in.
func ResultAs[R tasks.Result](s tasks.Status) (R, error) {
	var zero R
	if s.Kind != zero.Kind() {
		return zero, fmt.Errorf("job %s is a %s job, its result no %T", s.ID, s.Kind, zero)
	}
	if err := succeeded(s); err != nil {
		return zero, err
	}
	return tasks.DecodeResult[R](s.Result)
}
