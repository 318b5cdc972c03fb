package providers

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Meter is told about every request to a bucket. It may be called at once
// from many goroutines.
type Meter interface {
	// Request reports one operation: list (one page or more), stat, get, put
	// or delete, and how it ended. The time is until the answer's head
	// arrived for get, until the end for the others.
	Request(op string, took time.Duration, err error)
	// Bytes reports content that went "in" from the bucket or "out" to it.
	Bytes(direction string, n int64)
}

// Counting reports a bucket's traffic to a meter.
func Counting(b Bucket, m Meter) Bucket { return counting{b, m} }

type counting struct {
	Bucket
	meter Meter
}

func (c counting) List(ctx context.Context, opts ListOptions) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		var failed error
		start := time.Now()
		defer func() { c.meter.Request("list", time.Since(start), failed) }()
		for o, err := range c.Bucket.List(ctx, opts) {
			failed = err
			if !yield(o, err) {
				return
			}
		}
	}
}

func (c counting) Stat(ctx context.Context, key string) (o Object, err error) {
	defer c.request("stat", time.Now(), &err)
	return c.Bucket.Stat(ctx, key)
}

func (c counting) Open(ctx context.Context, key string, opts ReadOptions) (r *Reader, err error) {
	defer c.request("get", time.Now(), &err)
	if r, err = c.Bucket.Open(ctx, key, opts); err != nil {
		return nil, err
	}
	r.ReadCloser = countingReader{r.ReadCloser, r.ReadCloser, c.meter, "in"}
	return r, nil
}

func (c counting) Put(ctx context.Context, key string, body io.Reader, opts WriteOptions) (o Object, err error) {
	defer c.request("put", time.Now(), &err)
	return c.Bucket.Put(ctx, key, countingReader{body, nil, c.meter, "out"}, opts)
}

func (c counting) Delete(ctx context.Context, key string) (err error) {
	defer c.request("delete", time.Now(), &err)
	return c.Bucket.Delete(ctx, key)
}

func (c counting) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	return Probe(ctx, c.Bucket, need)
}

func (c counting) Diagnose(ctx context.Context) []tasks.Check { return Diagnose(ctx, c.Bucket) }

func (c counting) Preflight(ctx context.Context, want tasks.CORS) []tasks.Check {
	return Preflight(ctx, c.Bucket, want)
}

func (c counting) request(op string, start time.Time, err *error) {
	c.meter.Request(op, time.Since(start), *err)
}

type countingReader struct {
	io.Reader
	io.Closer
	meter     Meter
	direction string
}

func (r countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.meter.Bytes(r.direction, int64(n))
	}
	return n, err
}
