package gcs

import (
	"bytes"
	"cmp"
	"context"
	"hash/crc32"
	"io"

	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/gcs/client"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

const (
	maxSmallBody = 1 << 20 // bytes; a body below is one request
	// chunkSize is how much of a long body is in memory, in bytes. Each
	// chunk is a request that can be repeated.
	chunkSize = 8 << 20

	defaultContentType = "application/octet-stream"
)

// Put implements providers.Bucket. A body below 1 MiB is one request,
// which has the checksum of the content. A longer one is a resumable
// upload, which becomes an object with its last byte only. Parts of an
// upload that failed are not in the bucket, and Google removes them after
// a week. Replacing an object needs the right to delete it.
func (b *bucket) Put(
	ctx context.Context, key string, body io.Reader, opts providers.WriteOptions,
) (providers.Object, error) {
	if opts.IfAbsent && opts.IfMatch != "" {
		return providers.Object{}, b.wrapError("put", key, contradiction())
	}

	source := driver.NewSource(ctx, body)
	up := upload{bucket: b, key: key, opts: opts}
	attrs, err := up.run(ctx, source)
	if err == nil {
		err = checkObject(attrs)
	}
	switch {
	case source.Failed != nil: // may be another bucket's error, which stays as it is
		return providers.Object{}, providers.Failed("put", b.storage.Bucket, key, source.Failed)
	case err != nil:
		e := b.errors.Wrap("put", key, err)
		if opts.IfMatch != "" && isMissingObject(e) {
			e.Kind = providers.Conflict // the object to replace is gone
		}
		return providers.Object{}, e
	}
	return withKey(attrs, key), nil
}

func contradiction() error {
	return &providers.Error{
		Kind:   providers.Conflict,
		Detail: "no object is both absent and of a version",
	}
}

// upload is one Put.
type upload struct {
	bucket *bucket
	key    string
	opts   providers.WriteOptions
}

func (u upload) run(ctx context.Context, body io.Reader) (*storage.ObjectAttrs, error) {
	head, err := io.ReadAll(io.LimitReader(body, maxSmallBody))
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	if len(head) == maxSmallBody {
		return u.long(ctx, io.MultiReader(bytes.NewReader(head), body))
	}
	var attrs *storage.ObjectAttrs
	err = u.bucket.client.Call(func(h *storage.BucketHandle) (err error) {
		attrs, err = u.small(ctx, h, head)
		return err
	})
	return attrs, err
}

// small sends a body that is in memory. The chunk is larger than the
// body, so the SDK sends one request and can repeat it.
func (u upload) small(
	ctx context.Context, h *storage.BucketHandle, content []byte,
) (*storage.ObjectAttrs, error) {
	w := u.newWriter(ctx, h)
	w.ChunkSize = client.ChunkSizeFor(len(content))
	w.CRC32C = crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli))
	w.SendCRC32C = true
	if err := client.Send(w, content); err != nil {
		return nil, err
	}
	return w.Attrs(), nil
}

// long sends a body in chunks. A body can be read only once, so long
// finds out first whether requests must name the project.
func (u upload) long(ctx context.Context, body io.Reader) (*storage.ObjectAttrs, error) {
	b := u.bucket
	if b.storage.Project != "" && !b.client.Pays() {
		_, _ = b.Stat(ctx, u.key)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := u.newWriter(ctx, b.client.Bucket())
	w.ChunkSize = chunkSize
	_, err := io.Copy(w, body)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		cancel() // without it, Close would complete the upload
		_ = w.Close()
		guard.Rethrow(err) // Close may know only that it was cancelled
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return w.Attrs(), nil
}

func (u upload) newWriter(ctx context.Context, h *storage.BucketHandle) *client.Writer {
	o := h.Object(u.key)
	switch {
	case u.opts.IfAbsent:
		o = o.If(storage.Conditions{DoesNotExist: true})
	case u.opts.IfMatch != "":
		o = o.If(storage.Conditions{GenerationMatch: generationOf(u.opts.IfMatch)})
	}
	w := client.NewWriter(ctx, o, u.bucket.client.Attempts())
	w.ContentType = cmp.Or(u.opts.ContentType, defaultContentType)
	return w
}
