package mem

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"io"
	"iter"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

type bucket struct {
	*driver.KnownOrder
	opener *Opener
	name   string
}

var (
	_ providers.Opener    = (*Opener)(nil)
	_ providers.Bucket    = bucket{}
	_ providers.Prober    = bucket{}
	_ providers.Diagnoser = bucket{}
	_ providers.Ordered   = bucket{}
)

// List implements providers.Bucket. It starts and ends exactly where it
// is asked to, whatever is known of the order.
func (b bucket) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		s, err := b.ready(ctx, "list", "")
		if err != nil {
			yield(providers.Object{}, err)
			return
		}
		for after := opts.After; ; {
			page := s.page(opts.Prefix, after)
			for _, o := range page {
				if err := ctx.Err(); err != nil {
					yield(providers.Object{}, providers.Failed("list", b.name, "", err))
					return
				}
				if opts.Through != "" && s.order.Before(opts.Through, o.Key) {
					return
				}
				if after != "" {
					b.Learn(b.KeyOrder().Narrow(after, o.Key))
				}
				if after = o.Key; !yield(o, nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

// Stat implements providers.Bucket.
func (b bucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	o, err := b.object(ctx, "stat", key)
	if err != nil {
		return providers.Object{}, err
	}
	return o.info(key), nil
}

// Open implements providers.Bucket.
func (b bucket) Open(
	ctx context.Context, key string, opts providers.ReadOptions,
) (*providers.Reader, error) {
	stored, err := b.object(ctx, "get", key)
	if err != nil {
		return nil, err
	}
	o := stored.info(key)
	switch {
	case opts.IfMatch != "" && opts.IfMatch != o.ETag:
		return nil, b.newError("get", key, providers.Conflict, "PreconditionFailed")
	case opts.Offset < 0 || opts.Length < 0, opts.Offset >= o.Size && o.Size > 0:
		return nil, b.newError("get", key, providers.Invalid, "InvalidRange")
	}

	data := stored.data[min(opts.Offset, o.Size):]
	if opts.Length > 0 {
		data = data[:min(opts.Length, int64(len(data)))]
	}
	return &providers.Reader{ReadCloser: io.NopCloser(bytes.NewReader(data)), Object: o}, nil
}

// Put implements providers.Bucket. The ETag is the content's MD5 in
// hex, like that of a small object on S3.
func (b bucket) Put(
	ctx context.Context, key string, body io.Reader, opts providers.WriteOptions,
) (providers.Object, error) {
	s, notReady := b.ready(ctx, "put", key)
	if notReady != nil {
		return providers.Object{}, notReady
	}
	if key == "" {
		return providers.Object{}, b.newError("put", key, providers.Invalid, "EmptyKey")
	}
	data, err := io.ReadAll(body)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return providers.Object{}, providers.Failed("put", b.name, key, err)
	}

	sum := md5.Sum(data)
	o := object{data: data, etag: hex.EncodeToString(sum[:]), time: time.Now()}
	if !s.put(key, o, opts) {
		return providers.Object{}, b.newError("put", key, providers.Conflict, "PreconditionFailed")
	}
	return o.info(key), nil
}

// Delete implements providers.Bucket.
func (b bucket) Delete(ctx context.Context, key string) error {
	s, err := b.ready(ctx, "delete", key)
	if err != nil {
		return err
	}
	s.remove(key)
	return nil
}

// Close implements providers.Bucket. There is nothing to free; the
// content of the bucket stays.
func (b bucket) Close() error { return nil }

// Probe implements providers.Prober. Only a missing bucket can make it
// fail. Then the first check fails, and the others are skipped.
func (b bucket) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	exists := func(ctx context.Context) tasks.Check {
		if _, err := b.ready(ctx, "list", ""); err != nil {
			return check.FailError(err)
		}
		return check.OK("a bucket in memory")
	}
	return check.Run(ctx, []check.Step{
		{ID: tasks.CheckIDList, Wanted: true, Run: exists},
		{ID: tasks.CheckIDRead, Wanted: need.Read, Run: exists},
		{ID: tasks.CheckIDWrite, Wanted: need.Write, Run: exists},
	})
}

// Diagnose implements providers.Diagnoser. There is no network to
// check.
func (b bucket) Diagnose(context.Context) []tasks.Check { return nil }

// ready returns the content of the bucket, if it exists and ctx has not
// ended.
func (b bucket) ready(ctx context.Context, op, key string) (*store, *providers.Error) {
	if err := ctx.Err(); err != nil {
		return nil, &providers.Error{
			Op: op, Bucket: b.name, Key: key, Kind: providers.Unavailable, Err: err,
		}
	}
	s := b.opener.find(b.name)
	if s == nil {
		return nil, b.newError(op, "", providers.NotFound, "NoSuchBucket")
	}
	return s, nil
}

func (b bucket) object(ctx context.Context, op, key string) (object, *providers.Error) {
	s, err := b.ready(ctx, op, key)
	if err != nil {
		return object{}, err
	}
	o, ok := s.get(key)
	if !ok {
		return object{}, b.newError(op, key, providers.NotFound, "NoSuchKey")
	}
	return o, nil
}

func (b bucket) newError(op, key string, kind providers.Kind, code string) *providers.Error {
	return &providers.Error{Op: op, Bucket: b.name, Key: key, Kind: kind, Code: code}
}
