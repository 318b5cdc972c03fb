package manifest

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// The counts of a part.
const (
	tallyEntries = "entries"
	tallySkipped = "skipped"
	tallyFailed  = "failed"
	tallyBytes   = "bytes"
)

// Work implements job.Sharded: it makes the manifest's lines of one shard. Every object counts as one of entry, skipped
// (no image by its name, or left out on purpose) or failed (on the error list).
func (Job) Work(ctx context.Context, j tasks.BuildManifest, env job.Env, s job.Shard) (job.Part, error) {
	b, err := env.Open(ctx, j.Source)
	if err != nil {
		return job.Part{}, err
	}
	defer func() { _ = b.Close() }()
	r := reader{bucket: b, chooser: newChooser(j), progress: env.Progress}
	var images []providers.Object
	skipped := int64(0)
	for o, err := range s.List(ctx, b) {
		if err != nil {
			return job.Part{}, err
		}
		if r.skips(o.Key) {
			env.Progress.Done(0)
			skipped++
			continue
		}
		images = append(images, o)
	}
	found, err := job.Each(ctx, images, env.Parallel, r.image)
	if err != nil {
		return job.Part{}, err
	}
	part, err := assemble(found, env.Progress, s)
	part.Tally[tallySkipped] = skipped
	return part, err
}

// assemble puts the findings together in key order; the error list too, so that it is the same every time.
func assemble(found []finding, progress *job.Progress, s job.Shard) (job.Part, error) {
	part := job.Part{Tally: map[string]int64{}}
	var denials job.Denials
	for _, f := range found {
		part.Tally[tallyBytes] += f.bytes
		if f.bytes > 0 || f.err != nil {
			denials.Note(f.fault, f.err)
		}
		if f.fault == nil {
			part.Data = append(part.Data, f.line...)
			part.Tally[tallyEntries]++
			continue
		}
		progress.Reject(*f.fault)
		part.Tally[tallyFailed]++
	}
	return part, denials.Err(s)
}

// finding is what came of one image: a line, or a fault.
type finding struct {
	line  []byte
	bytes int64 // read
	fault *tasks.ObjectError
	err   error // the bucket's, behind the fault
}

// reader reads the headers of images.
type reader struct {
	chooser
	bucket   providers.Bucket
	progress *job.Progress
}

// image finds the entry of one image. Its error is about the job's surroundings; the image's own is in the finding.
func (r reader) image(ctx context.Context, o providers.Object) (finding, error) {
	var f finding
	head, err := imagehead.Head{}, r.check(o)
	if err == nil {
		head, f.bytes, err = r.head(ctx, o)
	}
	if err == nil {
		w, h := head.Display()
		f.line = entry(strings.TrimPrefix(o.Key, r.dir), w, h)
		r.progress.Done(f.bytes)
		return f, nil
	}
	return f.failed(o.Key, err)
}

// failed decides what an error is about: a fault of the image, or an error of the job.
func (f finding) failed(key string, err error) (finding, error) {
	fault, ok := job.Fault(key, err)
	if !ok {
		return finding{}, err
	}
	f.fault = &fault
	if errors.As(err, new(*providers.Error)) {
		f.err = err
	}
	return f, nil
}

// head reads as much of an image as tells its size. All of it comes from the version that was listed.
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
