package manifest

import (
	"context"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/linesort"
	"github.com/stevedore-jobs/stevedore/worker/manifest/order"
	"github.com/stevedore-jobs/stevedore/worker/manifest/selection"
	"github.com/stevedore-jobs/stevedore/worker/manifest/twins"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// Finish implements job.Sharded. It stores the manifest in the
// bucket, unless the bucket has the same one already. The entries
// have the order that the payload asks for, by default that of
// their names by code points. CVAT rejects a manifest without
// entries (CVAT 2.73, utils/dataset_manifest/core.py). So Finish
// writes none, and fails as Invalid with the code NoImages.
//
// If the run worked only on objects that failed earlier, Finish
// merges its entries into the manifest of the earlier run. The
// result then describes the merged manifest. Failed and BytesRead
// count this run, Skipped the earlier one.
func (m Job) Finish(
	ctx context.Context, j tasks.BuildManifest, env job.Env, parts job.Parts,
) (tasks.Result, error) {
	in, err := order.Load(ctx, j, env.Open, m.budget)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	key := sortKey(j, in)
	lines, err := parts.Sort(ctx, in.Budget(), key)
	if err != nil {
		return nil, err
	}
	defer func() { _ = lines.Close() }()
	result := newResult(j, lines, parts)
	if parts.Earlier == nil {
		if err := checkEntries(j, &result, parts); err != nil {
			return nil, err
		}
		if result.Twins, err = findTwins(ctx, lines, in.Budget()); err != nil {
			return nil, err
		}
	}
	to, _ := j.Target()
	b, err := providers.OpenTarget(ctx, to, env.Open)
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }()
	out := output{b, lines, key, &result}
	if parts.Earlier == nil {
		err = out.publish(ctx)
	} else {
		err = out.amend(ctx, parts)
	}
	if err != nil {
		return nil, err
	}
	result.Order, err = in.Fit(ctx, result.Entries)
	return result, err
}

// newResult returns the result of a job that has not written yet.
func newResult(
	j tasks.BuildManifest, lines *linesort.Lines, parts job.Parts,
) tasks.BuildManifestResult {
	to, manifest := j.Target()
	return tasks.BuildManifestResult{
		Key:       manifest,
		Entries:   lines.Count,
		Skipped:   selection.Skipped(parts),
		SkippedBy: selection.SkippedBy(parts),
		Failed:    parts.Failed - parts.Warnings,
		Warnings:  parts.Warnings,
		BytesRead: parts.Bytes,
		Size:      int64(len(header)) + lines.Size,

		Unconditional: to.UnconditionalPut,
	}
}

// sortKey returns the function for the sort key of an entry.
func sortKey(j tasks.BuildManifest, in *order.Order) func(line []byte) (string, error) {
	_, manifest := j.Target()
	dir := directory(manifest)
	return func(line []byte) (string, error) {
		name, err := nameOf(line)
		if err != nil {
			return "", err
		}
		return in.Key(dir + name), nil
	}
}

// checkEntries returns an error if CVAT would reject the manifest,
// or if too many images have failed.
func checkEntries(
	j tasks.BuildManifest, r *tasks.BuildManifestResult, parts job.Parts,
) error {
	if r.Entries == 0 {
		return job.NoImages(j.Source, r.Failed, r.Skipped,
			"CVAT rejects a manifest without entries, so none was written.")
	}
	return selection.CheckFailed(j, r.Entries, parts)
}

func findTwins(
	ctx context.Context, lines *linesort.Lines, budget *memory.Budget,
) (*tasks.Twins, error) {
	return twins.Find(ctx, twins.Lines{
		Pieces: lines.Pieces(ctx), Count: lines.Count, Name: nameOf,
	}, budget)
}
