package manifest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/linesort"
	"github.com/stevedore-jobs/stevedore/worker/manifest/selection"
)

// contentType is the usual one for JSON lines.
const contentType = "application/x-ndjson"

// Finish implements job.Sharded. It stores the manifest in the bucket,
// unless the bucket has the same one already. The entries have the
// order of their names by code points, which CVAT calls
// lexicographical. CVAT rejects a manifest without entries (CVAT 2.73,
// utils/dataset_manifest/core.py). So Finish writes none, and fails as
// Invalid with the code NoImages.
//
// If the run worked only on objects that failed earlier, Finish merges
// its entries into the manifest of the earlier run. The result then
// describes the merged manifest. Failed and BytesRead count this run,
// Skipped the earlier one.
func (m Job) Finish(
	ctx context.Context, j tasks.BuildManifest, env job.Env, parts job.Parts,
) (tasks.Result, error) {
	lines, err := parts.Sort(ctx, m.budget, nameOf)
	if err != nil {
		return nil, err
	}
	defer func() { _ = lines.Close() }()
	to, key := j.Target()
	result := tasks.BuildManifestResult{
		Key:       key,
		Entries:   lines.Count,
		Skipped:   selection.Skipped(parts),
		SkippedBy: selection.SkippedBy(parts),
		Failed:    parts.Failed - parts.Warnings,
		Warnings:  parts.Warnings,
		BytesRead: parts.Bytes,
		Size:      int64(len(header)) + lines.Size,

		Unconditional: to.UnconditionalPut,
	}
	if parts.Earlier == nil && result.Entries == 0 {
		return nil, job.NoImages(j.Source, result.Failed, result.Skipped,
			"CVAT rejects a manifest without entries, so none was written.")
	}
	if parts.Earlier == nil {
		if err := selection.CheckFailed(j, result.Entries, parts); err != nil {
			return nil, err
		}
	}
	b, err := providers.OpenTarget(ctx, to, env.Open)
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }()
	if parts.Earlier == nil {
		err = publish(ctx, b, lines, &result)
	} else {
		err = amend(ctx, b, parts, lines, &result)
	}
	if err != nil {
		return nil, err
	}
	return result, nil
}

func publish(
	ctx context.Context, b providers.Bucket, lines *linesort.Lines, r *tasks.BuildManifestResult,
) error {
	published, err := job.Publish(ctx, b, r.Key, contentType, func(w io.Writer) error {
		if _, err := io.WriteString(w, header); err != nil {
			return err
		}
		return job.WriteParts(w, lines.Pieces(ctx))
	})
	r.Unchanged = published.Unchanged
	return err
}

func amend(
	ctx context.Context, b providers.Bucket, parts job.Parts, lines *linesort.Lines,
	r *tasks.BuildManifestResult,
) error {
	var earlier tasks.BuildManifestResult
	if err := json.Unmarshal(parts.Earlier, &earlier); err != nil {
		return fmt.Errorf("the result of the earlier run: %w", err)
	}
	merge := job.Merge{Head: strings.Count(header, "\n"), Key: nameOf}
	amended, err := merge.Amend(ctx, b, r.Key, contentType, lines.Pieces(ctx))
	r.Entries, r.Size = amended.Lines, amended.Size
	r.Skipped, r.Unchanged = earlier.Skipped, amended.Unchanged
	r.SkippedBy = selection.Amend(earlier.SkippedBy, parts)
	return err
}
