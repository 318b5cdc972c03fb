package manifest

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// The counts of the items. Those with a fault have none.
const (
	tallyEntries = "entries"
	tallySkipped = "skipped"
)

// Work implements job.Sharded: it makes the manifest's lines of one shard.
// Every object is an item: an entry, skipped (no image by its name, or left
// out on purpose) or failed.
func (Job) Work(ctx context.Context, j tasks.BuildManifest, env job.Env, s job.Shard) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		b, err := env.Open(ctx, j.Source)
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
		s.Items(ctx, env, objects, reader{newChooser(j), b}.item)(yield)
	}
}

// reader reads the headers of images.
type reader struct {
	chooser
	bucket providers.Bucket
}

// item makes the line of one object.
func (r reader) item(ctx context.Context, o providers.Object) (job.Item, error) {
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
	w, h := head.Display()
	return job.Item{Data: entry(strings.TrimPrefix(o.Key, r.dir), w, h), Tally: tallyEntries, Bytes: read}, nil
}

// head reads as much of an image as tells its size. All of it comes from the
// version that was listed.
func (r reader) head(ctx context.Context, o providers.Object) (h imagehead.Head, read int64, err error) {
	h, err = imagehead.Read(func(off, n int64) ([]byte, error) {
		data, err := readRange(ctx, r.bucket, o, off, n)
		read += int64(len(data))
		return data, err
	}, o.Size, imagehead.FirstRead(o.Key))
	return h, read, imagehead.Blame(o.Key, err)
}

func readRange(ctx context.Context, b providers.Bucket, o providers.Object, off, n int64) ([]byte, error) {
	r, err := b.Open(ctx, o.Key, providers.ReadOptions{Offset: off, Length: n, IfMatch: o.ETag})
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	data := make([]byte, n)
	got, err := io.ReadFull(r, data)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // the object ends here: imagehead's to judge
		err = nil
	}
	return data[:got], err
}
