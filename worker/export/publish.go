package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// publish writes the zip into the bucket while it is made. If making
// it fails, nothing is stored.
func (r *run) publish(
	ctx context.Context, data *dataset, progress *imageProgress,
) (tasks.Result, error) {
	archive := &archiver{
		data: data, document: r.document, writer: r.writer,
		source: r.source, directory: r.images, progress: progress,
	}
	sum := &digest{hash: sha256.New()}
	_, key := r.job.Target()
	opts := providers.WriteOptions{ContentType: "application/zip"}
	_, err := job.Put(ctx, r.target, key, opts, func(w io.Writer) error {
		return archive.write(ctx, io.MultiWriter(sum, w))
	})
	if err != nil {
		return nil, err
	}

	result := tasks.ExportAnnotationsResult{
		Key: key, Format: r.job.Format,
		Annotations: archive.shapes,
		Categories:  int64(len(data.schema.Labels)),
		Failed:      progress.Counts().Failed,
		Warnings:    progress.Counts().Warnings,
		Size:        sum.size,
		SHA256:      hex.EncodeToString(sum.hash.Sum(nil)),
	}
	for range data.exported() {
		result.Images++
	}
	return result, nil
}

// digest hashes and counts what is written to it.
type digest struct {
	hash hash.Hash
	size int64
}

// Write implements io.Writer; it never fails.
func (d *digest) Write(p []byte) (int, error) {
	d.size += int64(len(p))
	return d.hash.Write(p)
}
