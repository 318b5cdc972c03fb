package manifest

import (
	"context"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/manifest/report"
)

// counter makes items with what they add to the report.
type counter struct {
	headReader
	do      func(headReader, context.Context, providers.Object) (job.Item, error)
	isRetry bool
}

// item makes the item of one object.
func (c counter) item(ctx context.Context, o providers.Object) (job.Item, error) {
	seen := new(report.Image)
	c.seen = seen
	item, err := c.do(c.headReader, ctx, o)
	isImage := seen.Requests > 0 || len(item.Data) > 0 || err != nil && item.Tally == ""
	if !isImage {
		return item, err
	}
	if c.isRetry && item.Error != nil {
		// It is on the error list for a warning, so it was an entry
		// before, and has been counted.
		seen.IsEntry = false
	}
	item.Counts = seen.Counts(o.Key, o.Size)
	return item, err
}
