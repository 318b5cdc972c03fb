package providers

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Within confines a bucket to a storage's prefix: listings show only keys
// that start with the prefix, and everything else stays inside the prefix's
// directory, so that a job on "cats/im" can write "cats/manifest.jsonl" but
// never "dogs/x". Keys stay whole. Without a prefix it returns the bucket
// itself.
func Within(b Bucket, s tasks.Storage) Bucket {
	if s.Prefix == "" {
		return b
	}
	return within{Bucket: b, name: s.Bucket, prefix: s.Prefix, dir: s.Dir()}
}

type within struct {
	Bucket
	name, prefix, dir string
}

func (w within) List(ctx context.Context, opts ListOptions) iter.Seq2[Object, error] {
	switch {
	case strings.HasPrefix(w.prefix, opts.Prefix):
		opts.Prefix = w.prefix
	case !strings.HasPrefix(opts.Prefix, w.dir):
		return func(yield func(Object, error) bool) { yield(Object{}, w.refuse("list", opts.Prefix)) }
	}
	return w.Bucket.List(ctx, opts)
}

func (w within) Stat(ctx context.Context, key string) (Object, error) {
	if !strings.HasPrefix(key, w.dir) {
		return Object{}, w.refuse("stat", key)
	}
	return w.Bucket.Stat(ctx, key)
}

func (w within) Open(ctx context.Context, key string, opts ReadOptions) (*Reader, error) {
	if !strings.HasPrefix(key, w.dir) {
		return nil, w.refuse("get", key)
	}
	return w.Bucket.Open(ctx, key, opts)
}

func (w within) Put(ctx context.Context, key string, body io.Reader, opts WriteOptions) (Object, error) {
	if !strings.HasPrefix(key, w.dir) {
		return Object{}, w.refuse("put", key)
	}
	return w.Bucket.Put(ctx, key, body, opts)
}

func (w within) Delete(ctx context.Context, key string) error {
	if !strings.HasPrefix(key, w.dir) {
		return w.refuse("delete", key)
	}
	return w.Bucket.Delete(ctx, key)
}

// Probe passes the question on, so that a confined bucket can still be
// verified.
func (w within) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	return Probe(ctx, w.Bucket, need)
}

// Diagnose passes the question on.
func (w within) Diagnose(ctx context.Context) []tasks.Check { return Diagnose(ctx, w.Bucket) }

// Preflight passes the question on.
func (w within) Preflight(ctx context.Context, want tasks.CORS) []tasks.Check {
	return Preflight(ctx, w.Bucket, want)
}

func (w within) refuse(op, key string) error {
	return &Error{
		Op: op, Bucket: w.name, Key: key, Kind: Invalid, Code: "OutsidePrefix",
		Detail: fmt.Sprintf("the storage is confined to %q", w.dir),
		Fix:    "Name a key under the storage's prefix, or widen the prefix.",
	}
}
