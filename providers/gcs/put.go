package gcs

import (
	"bytes"
	"context"
	"hash/crc32"
	"io"
	"net/http"

	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

const (
	small = 1 << 20   // bytes; a body below is one request
	unit  = 256 << 10 // bytes; chunks are multiples of it
	chunk = 8 << 20   // bytes of a long body in memory; each is a request that can be repeated
)

// Put implements providers.Bucket. A body below 1 MiB is one request, which
// also tells Google the checksum that the content must have; a longer one is
// a resumable upload, which becomes an object only with its last byte. What
// is left of an upload that broke is not in the bucket and ends after a week.
// Replacing an object needs the right to delete it.
func (b *bucket) Put(ctx context.Context, key string, body io.Reader, opts providers.WriteOptions) (providers.Object, error) {
	if opts.IfAbsent && opts.IfMatch != "" {
		return providers.Object{}, b.fault("put", key, &providers.Error{Kind: providers.Conflict, Detail: "no object is both absent and of a version"})
	}
	from := driver.NewSource(ctx, body)
	head, err := io.ReadAll(io.LimitReader(from, small))
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return providers.Object{}, providers.Failed("put", b.storage.Bucket, key, err)
	}
	var attrs *storage.ObjectAttrs
	if len(head) < small {
		err = b.paying(func(h *storage.BucketHandle) (err error) {
			attrs, err = b.putSmall(ctx, h.Object(key), head, opts)
			return err
		})
	} else {
		attrs, err = b.putLong(ctx, key, io.MultiReader(bytes.NewReader(head), from), opts)
	}
	switch {
	case from.Failed != nil: // perhaps another bucket's error, which stays as it is
		return providers.Object{}, providers.Failed("put", b.storage.Bucket, key, from.Failed)
	case err != nil:
		return providers.Object{}, b.putFailed(key, opts, err)
	case attrs.Generation <= 0:
		return providers.Object{}, b.fault("put", key, notGCS(http.StatusOK))
	}
	return objectOf(attrs), nil
}

// putSmall sends a body that is in memory. The chunk is larger than it, so
// that the client sends one request, and keeps it for another attempt.
func (b *bucket) putSmall(ctx context.Context, o *storage.ObjectHandle, content []byte, opts providers.WriteOptions) (*storage.ObjectAttrs, error) {
	w := b.writer(ctx, o, opts)
	w.ChunkSize = (len(content)/unit + 1) * unit
	w.CRC32C, w.SendCRC32C = crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)), true
	if err := send(w, content); err != nil {
		return nil, err
	}
	return w.Attrs(), nil
}

// send writes everything. When it fails, Close has the cause, and Write at
// most the same.
func send(w *storage.Writer, content []byte) error {
	_, err := w.Write(content)
	if closed := w.Close(); closed != nil {
		return closed
	}
	return err
}

func (b *bucket) putLong(ctx context.Context, key string, body io.Reader, opts providers.WriteOptions) (*storage.ObjectAttrs, error) {
	if b.storage.Project != "" && !b.pays.Load() {
		// A body can be read only once, so who pays is found out before.
		_, _ = b.Stat(ctx, key)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := b.writer(ctx, b.handle().Object(key), opts)
	w.ChunkSize = chunk
	_, err := io.Copy(w, body)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		cancel() // before Close, which would end the upload well
		_ = w.Close()
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return w.Attrs(), nil
}

func (b *bucket) writer(ctx context.Context, o *storage.ObjectHandle, opts providers.WriteOptions) *storage.Writer {
	switch {
	case opts.IfAbsent:
		o = o.If(storage.Conditions{DoesNotExist: true})
	case opts.IfMatch != "":
		o = o.If(storage.Conditions{GenerationMatch: generationOf(opts.IfMatch)})
	}
	bound := &bounded{attempts: b.attempts}
	w := o.Retryer(storage.WithErrorFunc(bound.retry)).NewWriter(ctx)
	w.ProgressFunc = func(int64) { bound.reset() }
	w.ContentType = "application/octet-stream"
	if opts.ContentType != "" {
		w.ContentType = opts.ContentType
	}
	return w
}

func (b *bucket) putFailed(key string, opts providers.WriteOptions, err error) error {
	e := b.fault("put", key, err)
	if opts.IfMatch != "" && e.Kind == providers.NotFound && e.Code != noSuchBucket {
		e.Kind = providers.Conflict // the object that should have been replaced is gone
	}
	return e
}
