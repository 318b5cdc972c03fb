package job

import (
	"context"

	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

// Each calls do for every item, at most n at once, and returns the
// results in the order of the items. An n below 1 counts as 1.
//
// The first error or panic cancels the context of the other calls and
// is returned. If ctx has ended, the error is its cause.
func Each[T, R any](
	ctx context.Context, items []T, n int, do func(context.Context, T) (R, error),
) ([]R, error) {
	results := make([]R, len(items))
	group, inner := guard.WithContext(ctx)
	group.SetLimit(max(n, 1))
	for i, item := range items {
		if inner.Err() != nil {
			break
		}
		group.Go(func() (err error) {
			results[i], err = do(inner, item)
			return err
		})
	}

	err := group.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return results, cause
	}
	return results, err
}
