package job

import (
	"context"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Hide leaves keys out of a bucket's listings: those that a job has
// written itself, and that are no objects of the job. Plan and Work
// must hide the same keys.
func Hide(b providers.Bucket, hidden func(key string) bool) providers.Bucket {
	return hiding{b, hidden}
}

type hiding struct {
	providers.Bucket
	hidden func(key string) bool
}

// Unwrap implements the wrapper interface of providers.As.
func (h hiding) Unwrap() providers.Bucket { return h.Bucket }

// List implements providers.Bucket.
func (h hiding) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		for o, err := range h.Bucket.List(ctx, opts) {
			if err == nil && h.hidden(o.Key) {
				continue
			}
			if !yield(o, err) {
				return
			}
		}
	}
}
