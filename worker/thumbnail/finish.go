package thumbnail

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/linesort"
)

// indexName is the index's name in the directory of the thumbnails.
const indexName = "index.jsonl"

const contentType = "application/x-ndjson"

// Finish implements job.Sharded. It stores the index, sorted by the
// keys of the images, in the directory of the thumbnails, unless the
// bucket has the same one already. Work has stored the thumbnails
// before. If no image has a thumbnail, Finish writes no index, and
// fails as Invalid with the code NoImages: the source's prefix is
// probably wrong.
//
// If the run worked only on objects that failed earlier, Finish merges
// its lines into the index of the earlier run. Written and Failed then
// count this run, Unchanged the other thumbnails of the index, and
// Skipped the earlier run.
func (t Job) Finish(
	ctx context.Context, j tasks.GenerateThumbnails, env job.Env, parts job.Parts,
) (tasks.Result, error) {
	lines, err := parts.Sort(ctx, t.budget, keyOf)
	if err != nil {
		return nil, err
	}
	defer func() { _ = lines.Close() }()
	to, dir := j.Target()
	written := min(parts.Tally[tallyWritten], lines.Count)
	result := tasks.GenerateThumbnailsResult{
		Index:     dir + indexName,
		Written:   written,
		Unchanged: lines.Count - written,
		Skipped:   parts.Tally[tallySkipped],
		Failed:    parts.Failed,

		Unconditional: to.UnconditionalPut,
	}
	if parts.Earlier == nil && lines.Count == 0 {
		return nil, job.NoImages(j.Source, result.Failed, result.Skipped, "No index was written.")
	}
	b, err := providers.OpenTarget(ctx, to, env.Open)
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }()
	if parts.Earlier != nil {
		err = amend(ctx, b, parts.Earlier, lines, &result)
	} else {
		write := func(w io.Writer) error { return job.WriteParts(w, lines.Pieces(ctx)) }
		_, err = job.Publish(ctx, b, result.Index, contentType, write)
	}
	if err != nil {
		return nil, err
	}
	return result, nil
}

func amend(
	ctx context.Context, b providers.Bucket, earlierResult []byte, lines *linesort.Lines,
	r *tasks.GenerateThumbnailsResult,
) error {
	var earlier tasks.GenerateThumbnailsResult
	if err := json.Unmarshal(earlierResult, &earlier); err != nil {
		return fmt.Errorf("the result of the earlier run: %w", err)
	}
	amended, err := job.Merge{Key: keyOf}.Amend(ctx, b, r.Index, contentType, lines.Pieces(ctx))
	r.Unchanged, r.Skipped = amended.Lines-r.Written, earlier.Skipped
	return err
}
