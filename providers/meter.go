package providers

import (
	"context"
	"io"
	"iter"
	"time"
)

// Meter counts the requests to a bucket. Its methods must be safe for
// concurrent use.
type Meter interface {
	// Request reports one operation: list (one page or more), stat,
	// get, put or delete, and its error. The time is until the head
	// of the answer arrived for get, and until the end for the
	// others.
	Request(op string, took time.Duration, err error)
	// Bytes reports content that went "in" from the bucket or "out"
	// to it.
	Bytes(direction string, n int64)
}

// WithMeter reports a bucket's traffic to a meter.
func WithMeter(b Bucket, m Meter) Bucket { return metered{b, m} }

type metered struct {
	Bucket
	meter Meter
}

// Unwrap implements the wrapper interface of As.
func (m metered) Unwrap() Bucket { return m.Bucket }

func (m metered) List(ctx context.Context, opts ListOptions) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		var failed error
		start := time.Now()
		defer func() { m.meter.Request("list", time.Since(start), failed) }()
		for o, err := range m.Bucket.List(ctx, opts) {
			failed = err
			if !yield(o, err) {
				return
			}
		}
	}
}

func (m metered) Stat(ctx context.Context, key string) (o Object, err error) {
	defer m.request("stat", time.Now(), &err)
	return m.Bucket.Stat(ctx, key)
}

func (m metered) Open(ctx context.Context, key string, opts ReadOptions) (r *Reader, err error) {
	defer m.request("get", time.Now(), &err)
	if r, err = m.Bucket.Open(ctx, key, opts); err != nil {
		return nil, err
	}
	r.ReadCloser = meteredReader{r.ReadCloser, r.ReadCloser, m.meter, "in"}
	return r, nil
}

func (m metered) Put(
	ctx context.Context, key string, body io.Reader, opts WriteOptions,
) (o Object, err error) {
	defer m.request("put", time.Now(), &err)
	return m.Bucket.Put(ctx, key, meteredReader{body, nil, m.meter, "out"}, opts)
}

func (m metered) Delete(ctx context.Context, key string) (err error) {
	defer m.request("delete", time.Now(), &err)
	return m.Bucket.Delete(ctx, key)
}

func (m metered) request(op string, start time.Time, err *error) {
	m.meter.Request(op, time.Since(start), *err)
}

type meteredReader struct {
	io.Reader
	io.Closer
	meter     Meter
	direction string
}

func (r meteredReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.meter.Bytes(r.direction, int64(n))
	}
	return n, err
}
