package providers

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// WithPrefix confines a bucket to a storage's prefix. Listings return
// only keys that start with the prefix. Every other operation must
// stay in the prefix's directory: a job on "cats/im" can write
// "cats/manifest.jsonl", but never "dogs/x". Keys stay whole. Without
// a prefix it returns b itself.
func WithPrefix(b Bucket, s tasks.Storage) Bucket {
	if s.Prefix == "" {
		return b
	}
	return confined{Bucket: b, name: s.Bucket, prefix: s.Prefix, dir: s.Dir()}
}

type confined struct {
	Bucket
	name, prefix, dir string
}

// Unwrap implements the wrapper interface of As. A confined bucket
// can still be verified as a whole.
func (c confined) Unwrap() Bucket { return c.Bucket }

func (c confined) List(ctx context.Context, opts ListOptions) iter.Seq2[Object, error] {
	switch {
	case strings.HasPrefix(c.prefix, opts.Prefix):
		opts.Prefix = c.prefix
	case !strings.HasPrefix(opts.Prefix, c.dir):
		return func(yield func(Object, error) bool) {
			yield(Object{}, c.refuse("list", opts.Prefix))
		}
	}
	return c.Bucket.List(ctx, opts)
}

func (c confined) Stat(ctx context.Context, key string) (Object, error) {
	if !strings.HasPrefix(key, c.dir) {
		return Object{}, c.refuse("stat", key)
	}
	return c.Bucket.Stat(ctx, key)
}

func (c confined) Open(ctx context.Context, key string, opts ReadOptions) (*Reader, error) {
	if !strings.HasPrefix(key, c.dir) {
		return nil, c.refuse("get", key)
	}
	return c.Bucket.Open(ctx, key, opts)
}

func (c confined) Put(
	ctx context.Context, key string, body io.Reader, opts WriteOptions,
) (Object, error) {
	if !strings.HasPrefix(key, c.dir) {
		return Object{}, c.refuse("put", key)
	}
	return c.Bucket.Put(ctx, key, body, opts)
}

func (c confined) Delete(ctx context.Context, key string) error {
	if !strings.HasPrefix(key, c.dir) {
		return c.refuse("delete", key)
	}
	return c.Bucket.Delete(ctx, key)
}

func (c confined) refuse(op, key string) error {
	return &Error{
		Op: op, Bucket: c.name, Key: key, Kind: Invalid, Code: "OutsidePrefix",
		Detail: fmt.Sprintf("the storage is confined to %q", c.dir),
		Fix:    "Name a key under the storage's prefix, or widen the prefix.",
	}
}
