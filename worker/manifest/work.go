package manifest

import (
	"context"
	"iter"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/firstread"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/manifest/selection"
)

// tallyEntries is the tally of the items that are entries. The others
// have those of package selection, or an Error.
const tallyEntries = "entries"

// Work implements job.Sharded. It makes the manifest's lines of one
// shard. Each object becomes an item: an entry, or skipped, or
// failed.
func (m Job) Work(
	ctx context.Context, j tasks.BuildManifest, env job.Env, s job.Shard,
) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		b, err := openSource(ctx, j, env)
		if err != nil {
			yield(job.Item{}, err)
			return
		}
		defer func() { _ = b.Close() }()
		objects, err := s.List(ctx, b, env.Parallel)
		if err != nil {
			yield(job.Item{}, err)
			return
		}
		s.Items(ctx, env, objects, newHeadReader(j, b, m.sizes.Of(env.ID)).item)(yield)
	}
}

// headReader reads the heads of the selected images.
type headReader struct {
	selection.Selection
	dir    string // of the manifest
	bucket providers.Bucket
	sizes  *firstread.Sizes // learned from the heads of this job
}

func newHeadReader(
	j tasks.BuildManifest, b providers.Bucket, sizes *firstread.Sizes,
) headReader {
	_, manifest := j.Target()
	dir := directory(manifest)
	return headReader{selection.New(j, dir), dir, b, sizes}
}

// item makes the line of one object.
func (r headReader) item(ctx context.Context, o providers.Object) (job.Item, error) {
	if v := r.Judge(o); v.Tally != "" {
		return job.Item{Tally: v.Tally}, v.Err
	}
	h, read, err := r.head(ctx, o)
	if err != nil {
		return job.Item{Bytes: read}, err
	}
	if v := r.JudgeHead(o.Key, h); v.Tally != "" {
		return job.Item{Tally: v.Tally, Bytes: read}, v.Err
	}
	width, height := h.Display()
	return job.Item{
		Data:  entry(strings.TrimPrefix(o.Key, r.dir), width, height),
		Tally: tallyEntries,
		Bytes: read,
		Error: selection.Warning(o.Key, h.Type),
	}, nil
}

// headBytes is about how many bytes a format needs from where it jumps
// to.
const headBytes = 64

// head reads the head of an image, only from the version that was
// listed. read is how many bytes it has fetched, also if it fails.
func (r headReader) head(
	ctx context.Context, o providers.Object,
) (h head.Head, read int64, err error) {
	extension, normal, need := imagehead.Extension(o.Key), imagehead.FirstRead(o.Key), int64(0)
	first := r.sizes.Get(extension, normal)
	h, err = imagehead.Read(func(off, n int64) ([]byte, error) {
		need = max(need, off+headBytes)
		opts := providers.ReadOptions{Offset: off, Length: n, IfMatch: o.ETag}
		data, err := job.ReadRange(ctx, r.bucket, o.Key, opts)
		read += int64(len(data))
		return data, err
	}, o.Size, first)
	if err == nil && first == normal {
		r.sizes.Learn(extension, normal, need)
	}
	return h, read, imagehead.RefineError(o.Key, err)
}
