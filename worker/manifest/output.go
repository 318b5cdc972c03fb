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
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/manifest/selection"
)

// output is the manifest that a job writes.
type output struct {
	to      providers.Bucket
	entries *linesort.Lines
	sortKey func(line []byte) (string, error)
	dialect entry.Dialect
	result  *tasks.BuildManifestResult // it gets what writing shows
}

// publish stores the manifest.
func (o output) publish(ctx context.Context) error {
	mediaType := o.dialect.ContentType()
	published, err := job.Publish(ctx, o.to, o.result.Key, mediaType, func(w io.Writer) error {
		return o.dialect.Write(w, o.entries.Pieces(ctx))
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
	if o.dialect.IsList {
		return &providers.Error{
			Op: "put", Key: o.result.Key, Kind: providers.Invalid, Code: "NotMergeable",
			Detail: "a list of Label Studio's cannot be continued after a retry",
			Fix:    "Enqueue the job anew.",
		}
	}
	merge := job.Merge{Head: strings.Count(o.dialect.Head, "\n"), Key: o.sortKey}
	amended, err := merge.Amend(
		ctx, o.to, o.result.Key, o.dialect.ContentType(), o.entries.Pieces(ctx))
	r := o.result
	r.Entries, r.Size = amended.Lines, amended.Size
	r.Skipped, r.Unchanged = earlier.Skipped, amended.Unchanged
	r.SkippedBy = selection.Amend(earlier.SkippedBy, parts)
	r.Twins = earlier.Twins
	r.WithoutChecksum += earlier.WithoutChecksum
	return err
}
