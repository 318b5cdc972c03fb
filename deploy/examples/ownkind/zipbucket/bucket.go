package zipbucket

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/check"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// bucket is one zip file. Every call opens it anew.
type bucket struct{ name, file string }

// A provider that implements these is checked by verify-connection.
var (
	_ providers.Bucket    = bucket{}
	_ providers.Prober    = bucket{}
	_ providers.Diagnoser = bucket{}
	_ providers.Ordered   = bucket{}
)

// List implements providers.Bucket: it yields the entries in the byte
// order of their names.
func (b bucket) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		z, err := b.open(ctx, "list", "")
		if err != nil {
			yield(providers.Object{}, err)
			return
		}
		defer func() { _ = z.Close() }()

		slices.SortFunc(z.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
		for _, e := range z.File {
			if !strings.HasPrefix(e.Name, opts.Prefix) ||
				!keyorder.Bytes.Before(opts.After, e.Name) {
				continue
			}
			if opts.Through != "" && keyorder.Bytes.Before(opts.Through, e.Name) {
				return
			}
			if err := ctx.Err(); err != nil {
				yield(providers.Object{}, b.fail("list", "", err))
				return
			}
			if !yield(object(e), nil) {
				return
			}
		}
	}
}

// KeyOrder implements providers.Ordered: List sorts the names.
func (b bucket) KeyOrder() keyorder.Order { return keyorder.Bytes }

// Stat implements providers.Bucket.
func (b bucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	z, err := b.open(ctx, "stat", key)
	if err != nil {
		return providers.Object{}, err
	}
	defer func() { _ = z.Close() }()
	e := find(z.File, key)
	if e == nil {
		return providers.Object{}, b.error("stat", key, providers.NotFound, "NoSuchKey")
	}
	return object(e), nil
}

// Open implements providers.Bucket.
func (b bucket) Open(
	ctx context.Context, key string, opts providers.ReadOptions,
) (*providers.Reader, error) {
	z, err := b.open(ctx, "get", key)
	if err != nil {
		return nil, err
	}
	r, err := b.read(z, key, opts)
	if err != nil {
		_ = z.Close()
		return nil, b.fail("get", key, err)
	}
	return r, nil
}

// read opens an entry. Closing the reader closes the zip file.
func (b bucket) read(
	z *zip.ReadCloser, key string, opts providers.ReadOptions,
) (*providers.Reader, error) {
	e := find(z.File, key)
	if e == nil {
		return nil, b.error("get", key, providers.NotFound, "NoSuchKey")
	}
	o := object(e)
	if opts.IfMatch != "" && opts.IfMatch != o.ETag {
		return nil, b.error("get", key, providers.Conflict, "PreconditionFailed")
	}
	if opts.Offset < 0 || opts.Length < 0 || opts.Offset >= o.Size && o.Size > 0 {
		wrong := driver.InvalidRange(opts)
		wrong.Op, wrong.Bucket, wrong.Key = "get", b.name, key
		return nil, wrong
	}

	data, err := e.Open()
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, data, min(opts.Offset, o.Size)); err != nil {
		return nil, err
	}
	body := io.Reader(data)
	if opts.Length > 0 {
		body = io.LimitReader(data, opts.Length)
	}
	return &providers.Reader{ReadCloser: reader{body, z}, Object: o}, nil
}

type reader struct {
	io.Reader
	io.Closer
}

// Put implements providers.Bucket. It always fails.
func (b bucket) Put(
	_ context.Context, key string, _ io.Reader, _ providers.WriteOptions,
) (providers.Object, error) {
	return providers.Object{}, b.readOnly("put", key)
}

// Delete implements providers.Bucket. It always fails.
func (b bucket) Delete(_ context.Context, key string) error { return b.readOnly("delete", key) }

// Close implements providers.Bucket. There is nothing to free.
func (bucket) Close() error { return nil }

// Probe implements providers.Prober: it makes the checks of
// verify-connection.
func (b bucket) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	opens := func(ctx context.Context) tasks.Check {
		z, err := b.open(ctx, "list", "")
		if err != nil {
			return check.FailError(err)
		}
		_ = z.Close()
		return check.OK("the zip file can be read")
	}
	fails := func(context.Context) tasks.Check { return check.FailError(b.readOnly("put", "")) }
	return check.Run(ctx, []check.Step{
		{ID: tasks.CheckIDList, Wanted: true, Run: opens},
		{ID: tasks.CheckIDRead, Wanted: need.Read, Run: opens},
		{ID: tasks.CheckIDWrite, Wanted: need.Write, Run: fails},
	})
}

// Diagnose implements providers.Diagnoser. There is no network to
// check.
func (bucket) Diagnose(context.Context) []tasks.Check { return nil }

// open opens the zip file.
func (b bucket) open(ctx context.Context, op, key string) (*zip.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, b.fail(op, key, err)
	}
	z, err := zip.OpenReader(b.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, b.error(op, key, providers.NotFound, "NoSuchBucket")
	}
	if err != nil {
		return nil, b.fail(op, key, err)
	}
	return z, nil
}

func find(entries []*zip.File, key string) *zip.File {
	i := slices.IndexFunc(entries, func(e *zip.File) bool { return e.Name == key })
	if i < 0 {
		return nil
	}
	return entries[i]
}

func object(e *zip.File) providers.Object {
	size := int64(e.UncompressedSize64)
	return providers.Object{
		Key:     e.Name,
		Size:    size,
		ETag:    fmt.Sprintf("%08x-%x-%x", e.CRC32, size, e.Modified.Unix()),
		ModTime: e.Modified,
	}
}

// error makes an error of this provider.
func (b bucket) error(op, key string, kind providers.Kind, code string) error {
	return &providers.Error{Op: op, Bucket: b.name, Key: key, Kind: kind, Code: code}
}

// fail adds the operation to an error that is not of this provider.
func (b bucket) fail(op, key string, err error) error {
	return providers.Failed(op, b.name, key, err)
}

func (b bucket) readOnly(op, key string) error {
	return &providers.Error{
		Op: op, Bucket: b.name, Key: key, Kind: providers.Denied, Code: "ReadOnly",
		Detail: "zip files can only be read",
		Fix:    "Name a bucket of another provider as destination.",
	}
}
