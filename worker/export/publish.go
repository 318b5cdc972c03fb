package export

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

var errPutEnded = errors.New("the bucket stopped reading")

// publish writes the zip into the bucket as it is made. When making it fails,
// the bucket's writer sees the failure instead of an end, so that nothing is
// stored.
func (x *exporter) publish(ctx context.Context) (tasks.Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_, key := x.job.Target()
	r, w := io.Pipe()
	put := make(chan error, 1)
	go func() {
		_, err := x.target.Put(ctx, key, r, providers.WriteOptions{ContentType: "application/zip"})
		_ = r.CloseWithError(errPutEnded)
		put <- err
	}()
	defer func() { _ = w.CloseWithError(io.ErrUnexpectedEOF) }() // for a panic; otherwise it is closed already
	sum := &digest{hash: sha256.New()}
	err := x.writeZip(ctx, io.MultiWriter(sum, w))
	_ = w.CloseWithError(err)
	putErr := <-put
	if err != nil && !errors.Is(err, errPutEnded) {
		return nil, err
	}
	if putErr != nil {
		return nil, putErr
	}
	return x.result(key, sum), nil
}

func (x *exporter) result(key string, sum *digest) tasks.ExportAnnotationsResult {
	result := tasks.ExportAnnotationsResult{
		Key: key, Format: x.job.Format,
		Annotations: x.annotations, Categories: int64(len(x.schema.labels)), Failed: x.failed,
		Size: sum.size, SHA256: hex.EncodeToString(sum.hash.Sum(nil)),
	}
	for i := range x.images {
		if !x.images[i].out {
			result.Images++
		}
	}
	return result
}

// writeZip writes annotations, images and names, in this order, which is also
// that of the entries' names.
func (x *exporter) writeZip(ctx context.Context, w io.Writer) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	a := newArchive(buffered)
	for _, subset := range x.subsets {
		entry, err := a.text(annotationsFile(subset))
		if err != nil {
			return err
		}
		if err := x.writeCOCO(ctx, entry, subset); err != nil {
			return err
		}
	}
	if x.job.IncludeImages {
		if err := x.writeImages(ctx, a); err != nil {
			return err
		}
	}
	if x.renamed() {
		entry, err := a.text("names.jsonl")
		if err != nil {
			return err
		}
		if err := x.writeNames(entry); err != nil {
			return err
		}
	}
	if err := a.close(); err != nil {
		return err
	}
	return buffered.Flush()
}

// digest counts and sums what is written to it.
type digest struct {
	hash hash.Hash
	size int64
}

// Write implements io.Writer; it never fails.
func (d *digest) Write(p []byte) (int, error) {
	d.size += int64(len(p))
	return d.hash.Write(p)
}
