package gcs

import (
	"context"
	"net/http"

	"cloud.google.com/go/storage"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
)

// toEnd is the SDK's length of a range that ends with the object.
const toEnd = -1

// Open implements providers.Bucket.
func (b *bucket) Open(
	ctx context.Context, key string, opts providers.ReadOptions,
) (*providers.Reader, error) {
	if opts.Offset < 0 || opts.Length < 0 {
		return nil, b.wrapError("get", key, driver.InvalidRange(opts))
	}
	var r *storage.Reader
	err := b.client.Call(func(h *storage.BucketHandle) (err error) {
		r, err = newReader(ctx, h.Object(key), opts)
		return err
	})
	if err != nil {
		return driver.OpenEmpty(ctx, b, key, b.wrapError("get", key, err))
	}
	if err := checkAnswer(r.Attrs, opts); err != nil {
		_ = r.Close()
		return nil, b.wrapError("get", key, err)
	}

	a := r.Attrs
	n := max(0, a.Size-opts.Offset)
	if opts.Length > 0 {
		n = min(n, opts.Length)
	}
	fail := func(err error) error { return asReadError(b.errors.Wrap("get", key, err)) }
	return &providers.Reader{
		ReadCloser: driver.Body(r, n, fail),
		Object: providers.Object{
			Key: key, Size: a.Size, ETag: etagOf(a.Generation), ModTime: a.LastModified,
		},
	}, nil
}

func newReader(
	ctx context.Context, o *storage.ObjectHandle, opts providers.ReadOptions,
) (*storage.Reader, error) {
	if opts.IfMatch != "" {
		o = o.If(storage.Conditions{GenerationMatch: generationOf(opts.IfMatch)})
	}
	length := opts.Length
	if length == 0 {
		length = toEnd
	}
	return o.NewRangeReader(ctx, opts.Offset, length)
}

// checkAnswer returns an error unless an answer is what opts asked for.
func checkAnswer(a storage.ReaderObjectAttrs, opts providers.ReadOptions) error {
	switch {
	case a.Generation <= 0:
		return gcserror.NotGCS(http.StatusOK)
	case a.Size < 0:
		return driver.WrongAnswer("the server did not say how long the object is")
	case opts.Offset >= a.Size && a.Size > 0:
		return driver.InvalidRange(opts)
	case a.StartOffset != opts.Offset && a.Size > 0:
		return driver.WrongAnswer("the server answered with another range than it was asked for")
	}
	return nil
}

// asReadError makes an error that of reading a body. The SDK resumes a
// broken read at the same generation, so NotFound means that the object
// has changed.
func asReadError(e *providers.Error) error {
	if e.Kind == providers.NotFound {
		e.Kind = providers.Conflict
		e.Detail = "the object was replaced or deleted while it was read"
	}
	return e
}
