package manifest

import (
	"context"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/results"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/linesort"
	"github.com/stevedore-jobs/stevedore/worker/manifest/duplicates"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/manifest/report"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// counter makes items with what they add to the report.
type counter struct {
	headReader
	do      itemFunc
	isRetry bool
}

// item makes the item of one object.
func (c counter) item(ctx context.Context, o providers.Object) (job.Item, error) {
	seen := new(report.Image)
	c.seen = seen
	item, err := c.do(c.headReader, ctx, o)
	if !seen.IsImage && len(item.Data) == 0 { // context images have data
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

// findDuplicates finds entries with the same content. It returns nil if
// the ETags are not known, or do not tell: those of Azure, Google Cloud
// Storage and files are of a version, whatever its content.
func findDuplicates(
	ctx context.Context, j tasks.BuildManifest, lines *linesort.Lines, budget *memory.Budget,
) (*results.Duplicates, error) {
	byContent := j.Source.Provider == "s3" || j.Source.Provider == "mem"
	if !byContent || !dialectOf(j).HasMeta || j.Plain {
		return nil, nil
	}
	_, manifest := j.Target()
	dir := directory(manifest)
	return duplicates.Find(ctx, duplicates.Lines{
		Pieces: lines.Pieces(ctx), Count: lines.Count,
		Object: func(line []byte) (duplicates.Object, error) {
			e, err := entry.Parse(line)
			return duplicates.Object{Key: dir + e.Name, ETag: e.ETag, Size: e.Size}, err
		},
	}, budget)
}
