package file

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers"
)

// bucket is one directory.
type bucket struct {
	name   string // the directory, as the payload names it
	dir    string // of the storage's prefix
	root   *os.Root
	failed error // why there is no root
	commit *sync.Mutex
}

var (
	_ providers.Opener    = (*Opener)(nil)
	_ providers.Bucket    = (*bucket)(nil)
	_ providers.Prober    = (*bucket)(nil)
	_ providers.Diagnoser = (*bucket)(nil)
)

// Stat implements providers.Bucket. The ETag is made of size, modification
// time and inode: a file that is replaced or written to gets another one, and
// so does a copy of it.
func (b *bucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	if err := b.ready(ctx, "stat", key); err != nil {
		return providers.Object{}, err
	}
	info, err := b.root.Lstat(key)
	switch {
	case err != nil:
		return providers.Object{}, b.classify("stat", key, err)
	case !info.Mode().IsRegular():
		return providers.Object{}, b.fault("stat", key, providers.NotFound, "not a regular file")
	}
	return object(key, info), nil
}

// Open implements providers.Bucket. A file that is written to while it is
// read may give a mixture; Put never does that.
func (b *bucket) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	if err := b.ready(ctx, "get", key); err != nil {
		return nil, err
	}
	f, o, err := b.openRegular(key)
	if err != nil {
		return nil, err
	}
	n, err := b.span(o, opts)
	if err == nil {
		_, err = f.Seek(min(opts.Offset, o.Size), io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, b.classify("get", key, err)
	}
	return &providers.Reader{ReadCloser: &body{bucket: b, key: key, file: f, left: n}, Object: o}, nil
}

// openRegular looks before it opens, because opening a pipe would wait for
// its other end, and once more after.
func (b *bucket) openRegular(key string) (*os.File, providers.Object, error) {
	info, err := b.root.Lstat(key)
	if err == nil && !info.Mode().IsRegular() {
		err = b.fault("get", key, providers.NotFound, "not a regular file")
	}
	if err != nil {
		return nil, providers.Object{}, b.classify("get", key, err)
	}
	f, err := b.root.Open(key)
	if err != nil {
		return nil, providers.Object{}, b.classify("get", key, err)
	}
	if info, err = f.Stat(); err != nil {
		_ = f.Close()
		return nil, providers.Object{}, b.classify("get", key, err)
	}
	return f, object(key, info), nil
}

// span is how many bytes a read gives, if its conditions hold.
func (b *bucket) span(o providers.Object, opts providers.ReadOptions) (int64, error) {
	switch {
	case opts.IfMatch != "" && opts.IfMatch != o.ETag:
		return 0, b.fault("get", o.Key, providers.Conflict, "the file has changed")
	case opts.Offset < 0 || opts.Length < 0, opts.Offset >= o.Size && o.Size > 0:
		return 0, b.fault("get", o.Key, providers.Invalid, fmt.Sprintf("no byte %d in a file of %d", opts.Offset, o.Size))
	}
	n := o.Size - min(opts.Offset, o.Size)
	if opts.Length > 0 {
		n = min(n, opts.Length)
	}
	return n, nil
}

// Delete implements providers.Bucket. Directories stay, even empty ones.
func (b *bucket) Delete(ctx context.Context, key string) error {
	if err := b.ready(ctx, "delete", key); err != nil {
		return err
	}
	info, err := b.root.Lstat(key)
	if err == nil && info.Mode().IsRegular() {
		err = b.root.Remove(key)
	}
	if kindOf(err) == providers.NotFound {
		return nil
	}
	return b.classify("delete", key, err)
}

// Close implements providers.Bucket.
func (b *bucket) Close() error {
	if b.root == nil {
		return nil
	}
	return b.root.Close()
}

// ready says whether an operation makes sense at all. key is empty for a
// listing.
func (b *bucket) ready(ctx context.Context, op, key string) error {
	switch {
	case ctx.Err() != nil:
		return b.classify(op, key, ctx.Err())
	case b.failed != nil:
		return b.classify(op, "", b.failed)
	case op != "list" && (!fs.ValidPath(key) && !validBytes(key) || key == "." || strings.ContainsRune(key, 0)):
		return b.fault(op, key, providers.Invalid, `a key must be a path without empty, "." and ".." segments`)
	case isTemporary(key):
		return b.fault(op, key, providers.Invalid, "the name is reserved for unfinished files")
	}
	return nil
}

// validBytes is fs.ValidPath for names that are not UTF-8, which disks do
// hold.
func validBytes(key string) bool { return fs.ValidPath(strings.ToValidUTF8(key, "?")) }

func object(key string, info fs.FileInfo) providers.Object {
	etag := fmt.Sprintf("%x-%x-%x", info.Size(), info.ModTime().UnixNano(), inode(info))
	return providers.Object{Key: key, Size: info.Size(), ETag: etag, ModTime: info.ModTime()}
}
