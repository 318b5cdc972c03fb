package manifest

import (
	"context"
	"iter"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/linesort"
	"github.com/stevedore-jobs/stevedore/worker/manifest/order"
	"github.com/stevedore-jobs/stevedore/worker/manifest/previous"
	"github.com/stevedore-jobs/stevedore/worker/manifest/related"
	"github.com/stevedore-jobs/stevedore/worker/manifest/report"
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
	if j.Video != "" {
		return m.video.Finish(ctx, j, env, parts)
	}
	in, err := order.Load(ctx, j, env.Open, m.budget)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	key := sortKey(j, in)
	data := previous.NewData(parts.Data)
	parts.Data = data.Pieces
	entries, err := joinContext(ctx, j, parts, in.Budget())
	if err != nil {
		return nil, err
	}
	defer entries.close()
	sorter := linesort.Sorter{Key: key, Budget: entries.budget, Memory: entries.memory}
	lines, err := sorter.Sort(ctx, entries.pieces)
	if err != nil {
		return nil, err
	}
	defer func() { _ = lines.Close() }()
	result := newResult(j, lines, parts)
	entries.count(&result)
	result.Changes = changes(parts, data.Facts)
	if j.DryRun {
		result.Estimate = estimate(parts)
		result.Entries += result.Estimate.Requests
		return result, nil
	}
	if parts.Earlier == nil {
		if err := checkEntries(j, &result, parts); err != nil {
			return nil, err
		}
		if err := compareEntries(ctx, j, lines, entries.budget, &result); err != nil {
			return nil, err
		}
	}
	to, _ := j.Target()
	out := output{entries: lines, sortKey: key, dialect: dialectOf(j), result: &result}
	if err := out.store(ctx, to, env, parts, data.Facts); err != nil {
		return nil, err
	}
	result.Order, err = in.Fit(ctx, result.Entries)
	return result, err
}

// entrySource yields the entries of the parts, each with its context
// images.
type entrySource struct {
	pieces iter.Seq2[[]byte, error]
	budget *memory.Budget
	memory int             // to sort with; 0 for the default
	joined *related.Joined // nil without context images
	images int64           // context images
}

// joinContext joins the entries with their context images, if there are
// any. The result must be closed.
func joinContext(
	ctx context.Context, j tasks.BuildManifest, parts job.Parts, budget *memory.Budget,
) (s entrySource, err error) {
	s = entrySource{pieces: parts.Data, budget: budget, images: parts.Tally[tallyContext]}
	if s.images == 0 {
		return s, nil
	}
	s.joined, err = related.Join(ctx, parts.Data, related.Clouds(j.Solid()), budget)
	if err != nil {
		return s, err
	}
	s.pieces = s.joined.Pieces(ctx)
	s.budget, s.memory = s.joined.Budget, s.joined.Memory
	return s, nil
}

func (s entrySource) close() {
	if s.joined != nil {
		s.joined.Close()
	}
}

// count adds the context images to the objects that are no entries.
func (s entrySource) count(r *tasks.BuildManifestResult) {
	if s.joined == nil {
		return
	}
	unowned := s.joined.Unowned()
	r.Skipped += s.images
	if r.SkippedBy == nil {
		r.SkippedBy = map[string]int64{}
	}
	r.SkippedBy[selection.ContextImage] += s.images - unowned
	if unowned > 0 {
		r.SkippedBy[selection.Unowned] += unowned
	}
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
		Report:    report.Of(parts.Tally, nil),
		Warnings:  parts.Warnings,
		BytesRead: parts.Bytes,
		Size:      dialectOf(j).Size(lines.Count, lines.Size),

		Unconditional:   to.UnconditionalPut,
		WithoutChecksum: parts.Tally[report.CountWithout],
	}
}

// sortKey returns the function for the sort key of an entry.
func sortKey(j tasks.BuildManifest, in *order.Order) func(line []byte) (string, error) {
	_, manifest := j.Target()
	dir := directory(manifest)
	name := dialectOf(j).Name
	return func(line []byte) (string, error) {
		name, err := name(line)
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

// compareEntries finds entries with nearly the same name, or with the
// same content.
func compareEntries(
	ctx context.Context, j tasks.BuildManifest, lines *linesort.Lines,
	budget *memory.Budget, r *tasks.BuildManifestResult,
) (err error) {
	r.Twins, err = twins.Find(ctx, twins.Lines{
		Pieces: lines.Pieces(ctx), Count: lines.Count, Name: dialectOf(j).Name,
	}, budget)
	if err != nil {
		return err
	}
	r.Report.Duplicates, err = findDuplicates(ctx, j, lines, budget)
	return err
}
