package manifest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/linesort"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
	"github.com/stevedore-jobs/stevedore/worker/manifest/previous"
	"github.com/stevedore-jobs/stevedore/worker/manifest/report"
	"github.com/stevedore-jobs/stevedore/worker/manifest/selection"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// output is the manifest that a job writes.
type output struct {
	to      providers.Bucket
	entries *linesort.Lines
	sortKey func(line []byte) (string, error)
	dialect entry.Dialect
	result  *tasks.BuildManifestResult // it gets what writing shows
}

// store opens the target and publishes the manifest there, or amends
// it.
func (o output) store(
	ctx context.Context, to tasks.Storage, env job.Env, parts job.Parts, facts *previous.Facts,
) (err error) {
	if o.to, err = providers.OpenTarget(ctx, to, env.Open); err != nil {
		return err
	}
	defer func() { _ = o.to.Close() }()
	if parts.Earlier == nil {
		return o.publish(ctx, facts)
	}
	return o.amend(ctx, parts)
}

// publish stores the manifest, and checks what the bucket has then.
// facts are those of the manifest that Plan has read; nil if it has read
// none.
func (o output) publish(ctx context.Context, facts *previous.Facts) error {
	sum := sha256.New()
	if err := o.write(ctx)(sum); err != nil {
		return err
	}
	digest := hex.EncodeToString(sum.Sum(nil))
	if facts != nil && facts.SHA256 == digest && facts.Size == o.result.Size {
		now, err := o.to.Stat(ctx, o.result.Key)
		if err == nil && now.ETag == facts.ETag {
			o.result.Unchanged = true
			return nil
		}
	}
	published, err := o.put(ctx, facts)
	if err != nil || published.Unchanged {
		o.result.Unchanged = published.Unchanged
		return err
	}
	return o.check(ctx, published.Object.ETag, digest)
}

// put stores the manifest. If the bucket still has the version that
// Plan has read, it need not be read again.
func (o output) put(ctx context.Context, facts *previous.Facts) (job.PublishResult, error) {
	if facts != nil {
		opts := providers.WriteOptions{
			ContentType: o.dialect.ContentType(),
			IfMatch:     facts.ETag, IfAbsent: facts.ETag == "",
		}
		stored, err := job.Put(ctx, o.to, o.result.Key, opts, o.write(ctx))
		if !errors.Is(err, providers.Conflict) {
			return job.PublishResult{Object: stored}, err
		}
	}
	return job.Publish(ctx, o.to, o.result.Key, o.dialect.ContentType(), o.write(ctx))
}

func (o output) write(ctx context.Context) func(io.Writer) error {
	return func(w io.Writer) error { return o.dialect.Write(w, o.entries.Pieces(ctx)) }
}

// check reads the version that was stored, and fails if it has another
// content. If somebody has replaced it meanwhile, or the credentials may
// not read it, there is nothing to check.
func (o output) check(ctx context.Context, etag, digest string) error {
	stored, err := o.to.Open(ctx, o.result.Key, providers.ReadOptions{IfMatch: etag})
	for _, kind := range []providers.Kind{
		providers.NotFound, providers.Conflict, providers.Denied,
	} {
		if errors.Is(err, kind) {
			return nil
		}
	}
	if err != nil {
		return err
	}
	defer func() { _ = stored.Close() }()
	sum := sha256.New()
	n, err := io.Copy(sum, steps.Reader(ctx, stored))
	if err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) == digest {
		return nil
	}
	return &providers.Error{
		Op: "put", Key: o.result.Key, Kind: providers.Unavailable, Code: "StoredOtherContent",
		Detail: fmt.Sprintf("the bucket has %d bytes of other content than the %d that were stored",
			n, o.result.Size),
		Fix: "Look for a proxy or a rule of the bucket that changes what is stored.",
	}
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
	r.Twins, r.Report = earlier.Twins, report.Of(parts.Tally, earlier.Report)
	r.WithoutChecksum += earlier.WithoutChecksum
	return err
}
