package manifest

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// contentType is what most tools call JSON lines.
const contentType = "application/x-ndjson"

// Finish implements job.Sharded: it puts the manifest into the bucket, unless it is there already. CVAT refuses a manifest
// without entries (CVAT 2.73, utils/dataset_manifest/core.py), so none is written: that is Invalid with the code NoImages.
func (Job) Finish(ctx context.Context, j tasks.BuildManifest, env job.Env, parts iter.Seq2[job.Part, error]) (tasks.Result, error) {
	tally, size, err := job.Sum(parts)
	if err != nil {
		return nil, err
	}
	to, key := j.Target()
	result := tasks.BuildManifestResult{
		Key: key, Entries: tally[tallyEntries], Skipped: tally[tallySkipped], Failed: tally[tallyFailed],
		BytesRead: tally[tallyBytes], Size: int64(len(header)) + size,
	}
	if result.Entries == 0 {
		return nil, noImages(j, result)
	}
	b, err := env.Open(ctx, to)
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }()
	published, err := job.Publish(ctx, b, key, contentType, func(w io.Writer) error { return write(w, parts) })
	if err != nil {
		return nil, err
	}
	result.Unchanged = published.Unchanged
	return result, nil
}

func write(w io.Writer, parts iter.Seq2[job.Part, error]) error {
	if _, err := io.WriteString(w, header); err != nil {
		return err
	}
	return job.WriteParts(w, parts)
}

func noImages(j tasks.BuildManifest, r tasks.BuildManifestResult) error {
	fix := "Check the prefix of the source, and the exclusions: CVAT refuses a manifest without entries, so none was written."
	if r.Failed > 0 {
		fix = "See the job's error list for why no image could be taken: CVAT refuses a manifest without entries, so none was written."
	}
	return &providers.Error{
		Op: "list", Bucket: j.Source.Bucket, Kind: providers.Invalid, Code: "NoImages",
		Detail: fmt.Sprintf("no usable image under %s: %d failed, %d other objects skipped", j.Source, r.Failed, r.Skipped),
		Fix:    fix,
	}
}
