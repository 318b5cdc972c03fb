package manifest

import (
	"context"
	"iter"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// The tallies of the items. An item with an Error has no tally.
const (
	tallyEntries = "entries"
	tallySkipped = "skipped"
)

// Work implements job.Sharded. It makes the manifest's lines of one
// shard. Each object becomes an item: an entry, or skipped, or
// failed.
func (Job) Work(
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
		s.Items(ctx, env, objects, headReader{newSelection(j), b}.item)(yield)
	}
}

// headReader reads the heads of the selected images.
type headReader struct {
	selection
	bucket providers.Bucket
}

// item makes the line of one object.
func (r headReader) item(ctx context.Context, o providers.Object) (job.Item, error) {
	if r.skips(o.Key) {
		return job.Item{Tally: tallySkipped}, nil
	}
	if err := r.check(o); err != nil {
		return job.Item{}, err
	}
	head, read, err := r.head(ctx, o)
	if err != nil {
		return job.Item{Bytes: read}, err
	}
	width, height := head.Display()
	return job.Item{
		Data:  entry(strings.TrimPrefix(o.Key, r.dir), width, height),
		Tally: tallyEntries,
		Bytes: read,
	}, nil
}

// head reads the head of an image, only from the version that was
// listed. read is how many bytes it has fetched, also if it fails.
func (r headReader) head(
	ctx context.Context, o providers.Object,
) (h head.Head, read int64, err error) {
	h, err = imagehead.Read(func(off, n int64) ([]byte, error) {
		opts := providers.ReadOptions{Offset: off, Length: n, IfMatch: o.ETag}
		data, err := job.ReadRange(ctx, r.bucket, o.Key, opts)
		read += int64(len(data))
		return data, err
	}, o.Size, imagehead.FirstRead(o.Key))
	return h, read, imagehead.RefineError(o.Key, err)
}
