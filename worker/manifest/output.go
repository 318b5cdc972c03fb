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

// output is the manifest that a job writes.
type output struct {
	to      providers.Bucket
	entries *linesort.Lines
	sortKey func(line []byte) (string, error)
	result  *tasks.BuildManifestResult // it gets what writing shows
}

// publish stores the manifest.
func (o output) publish(ctx context.Context) error {
	published, err := job.Publish(ctx, o.to, o.result.Key, contentType, func(w io.Writer) error {
		if _, err := io.WriteString(w, header); err != nil {
			return err
		}
		return job.WriteParts(w, o.entries.Pieces(ctx))
	})
	o.result.Unchanged = published.Unchanged
	return err
}

// amend merges the entries into the manifest of an earlier run.
func (o output) amend(ctx context.Context, parts job.Parts) error {
	var earlier tasks.BuildManifestResult
	if err := json.Unmarshal(parts.Earlier, &earlier); err != nil {
		return fmt.Errorf("the result of the earlier run: %w", err)
	}
	merge := job.Merge{Head: strings.Count(header, "\n"), Key: o.sortKey}
	amended, err := merge.Amend(ctx, o.to, o.result.Key, contentType, o.entries.Pieces(ctx))
	r := o.result
	r.Entries, r.Size = amended.Lines, amended.Size
	r.Skipped, r.Unchanged = earlier.Skipped, amended.Unchanged
	r.SkippedBy = selection.Amend(earlier.SkippedBy, parts)
	r.Twins = earlier.Twins
	return err
}
