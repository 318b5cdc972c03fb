package thumbnail

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// indexName is the index's name in the directory of the thumbnails.
const indexName = "index.jsonl"

const contentType = "application/x-ndjson"

// Finish implements job.Sharded. It stores the index in the directory
// of the thumbnails, unless the bucket has the same one already. Work
// has stored the thumbnails before. If no image has a thumbnail,
// Finish writes no index, and fails as Invalid with the code NoImages:
// the source's prefix is probably wrong.
//
// If the run worked only on objects that failed earlier, Finish
// merges its lines into the index of the earlier run. Written and
// Failed then count this run, Unchanged the other thumbnails of the
// index, and Skipped the earlier run.
func (Job) Finish(
	ctx context.Context, j tasks.GenerateThumbnails, env job.Env, parts job.Parts,
) (tasks.Result, error) {
	to, dir := j.Target()
	result := tasks.GenerateThumbnailsResult{
		Index:     dir + indexName,
		Written:   parts.Tally[tallyWritten],
		Unchanged: parts.Tally[tallyUnchanged],
		Skipped:   parts.Tally[tallySkipped],
		Failed:    parts.Failed,

		Unconditional: to.UnconditionalPut,
	}
	if parts.Earlier == nil && result.Written+result.Unchanged == 0 {
		return nil, job.NoImages(j.Source, result.Failed, result.Skipped, "No index was written.")
	}
	b, err := env.OpenTarget(ctx, to)
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }()
	if parts.Earlier != nil {
		err = amend(ctx, b, parts, &result)
	} else {
		write := func(w io.Writer) error { return job.WriteParts(w, parts.Data) }
		_, err = job.Publish(ctx, b, result.Index, contentType, write)
	}
	if err != nil {
		return nil, err
	}
	return result, nil
}

func amend(
	ctx context.Context, b providers.Bucket, parts job.Parts, r *tasks.GenerateThumbnailsResult,
) error {
	var earlier tasks.GenerateThumbnailsResult
	if err := json.Unmarshal(parts.Earlier, &earlier); err != nil {
		return fmt.Errorf("the result of the earlier run: %w", err)
	}
	amended, err := job.Merge{Key: keyOf}.Amend(ctx, b, r.Index, contentType, parts.Data)
	r.Unchanged, r.Skipped = amended.Lines-r.Written, earlier.Skipped
	return err
}
