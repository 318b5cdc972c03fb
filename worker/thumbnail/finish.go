package thumbnail

import (
	"context"
	"io"
	"iter"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// indexName is the index's name in the directory of the thumbnails.
const indexName = "index.jsonl"

// Finish implements job.Sharded: it puts the index into the directory of the thumbnails, unless it is there already. The
// thumbnails themselves are written by then. Without any image the index is empty.
func (Job) Finish(ctx context.Context, j tasks.GenerateThumbnails, env job.Env, parts iter.Seq2[job.Part, error]) (tasks.Result, error) {
	tally, _, err := job.Sum(parts)
	if err != nil {
		return nil, err
	}
	to, dir := j.Target()
	result := tasks.GenerateThumbnailsResult{
		Index: dir + indexName, Written: tally[tallyWritten], Unchanged: tally[tallyUnchanged],
		Skipped: tally[tallySkipped], Failed: tally[tallyFailed],
	}
	b, err := env.Open(ctx, to)
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }()
	_, err = job.Publish(ctx, b, result.Index, "application/x-ndjson", func(w io.Writer) error {
		return job.WriteParts(w, parts)
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}
