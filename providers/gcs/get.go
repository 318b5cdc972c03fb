package gcs

import (
	"context"
	"net/http"

	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// Open implements providers.Bucket.
func (b *bucket) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	if opts.Offset < 0 || opts.Length < 0 {
		return nil, b.fault("get", key, driver.InvalidRange(opts))
	}
	length := opts.Length
	if length == 0 {
		length = -1
	}
	var r *storage.Reader
	err := b.paying(func(h *storage.BucketHandle) (err error) {
		o := h.Object(key)
		if opts.IfMatch != "" {
			o = o.If(storage.Conditions{GenerationMatch: generationOf(opts.IfMatch)})
		}
		r, err = o.NewRangeReader(ctx, opts.Offset, length)
		return err
	})
	if err != nil {
		return driver.OpenEmpty(ctx, b, key, b.fault("get", key, err))
	}
	out, err := b.reader(key, opts, r)
	if err != nil {
		_ = r.Close()
		return nil, b.fault("get", key, err)
	}
	return out, nil
}

// reader checks that the answer is what was asked for, and makes it exactly
// that.
func (b *bucket) reader(key string, opts providers.ReadOptions, r *storage.Reader) (*providers.Reader, error) {
	a := r.Attrs
	switch {
	case a.Generation <= 0:
		return nil, notGCS(http.StatusOK)
	case a.Size < 0:
		return nil, driver.WrongAnswer("the server did not say how long the object is")
	case opts.Offset >= a.Size && a.Size > 0:
		return nil, driver.InvalidRange(opts)
	case a.StartOffset != opts.Offset && a.Size > 0:
		return nil, driver.WrongAnswer("the server answered with another range than it was asked for")
	}
	n := max(0, a.Size-opts.Offset)
	if opts.Length > 0 {
		n = min(n, opts.Length)
	}
	fail := func(err error) error {
		e := b.fault("get", key, err)
		if e.Kind == providers.NotFound { // the client resumes a broken read at the same generation
			e.Kind, e.Detail = providers.Conflict, "the object was replaced or deleted while it was read"
		}
		return e
	}
	o := providers.Object{Key: key, Size: a.Size, ETag: etagOf(a.Generation), ModTime: a.LastModified}
	return &providers.Reader{ReadCloser: driver.Body(r, n, fail), Object: o}, nil
}
