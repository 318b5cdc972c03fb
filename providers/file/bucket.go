package file

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// bucket is one directory.
type bucket struct {
	name    string // the directory, as the payload names it
	dir     string // of the storage's prefix
	root    *os.Root
	openErr error  // why there is no root
	from    string // the opener's root
	below   string // the path of the directory from there
	commit  *sync.Mutex
}

var (
	_ providers.Opener    = (*Opener)(nil)
	_ providers.Bucket    = (*bucket)(nil)
	_ providers.Maker     = (*bucket)(nil)
	_ providers.Prober    = (*bucket)(nil)
	_ providers.Diagnoser = (*bucket)(nil)
	_ providers.Ordered   = (*bucket)(nil)
)

// Stat implements providers.Bucket. The ETag consists of size,
// modification time and inode. It changes when a file is replaced or
// written to. A copy of the file has another one.
func (b *bucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	if err := b.ready(ctx, "stat", key); err != nil {
		return providers.Object{}, err
	}
	info, err := b.root.Lstat(key)
	switch {
	case err != nil:
		return providers.Object{}, b.wrapError("stat", key, err)
	case !info.Mode().IsRegular():
		return providers.Object{}, b.newError("stat", key, providers.NotFound, "not a regular file")
	}
	return object(key, info), nil
}

// Open implements providers.Bucket. If another program writes to the
// file meanwhile, the content may be a mixture. Put never causes
// that.
func (b *bucket) Open(
	ctx context.Context, key string, opts providers.ReadOptions,
) (*providers.Reader, error) {
	if err := b.ready(ctx, "get", key); err != nil {
		return nil, err
	}
	f, o, err := b.openRegular(key)
	if err != nil {
		return nil, b.wrapError("get", key, err)
	}
	n, err := b.length(o, opts)
	if err == nil {
		_, err = f.Seek(min(opts.Offset, o.Size), io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, b.wrapError("get", key, err)
	}
	content := &body{bucket: b, key: key, file: f, left: n}
	return &providers.Reader{ReadCloser: content, Object: o}, nil
}

// openRegular opens a regular file, and nothing else. It looks before
// and after it opens, because somebody may replace the file meanwhile.
// It never waits for the other end of a pipe.
func (b *bucket) openRegular(key string) (*os.File, providers.Object, error) {
	info, err := b.root.Lstat(key)
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(b, key)
	}
	if err != nil {
		return nil, providers.Object{}, err
	}
	f, err := b.root.OpenFile(key, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, providers.Object{}, err
	}
	info, err = f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(b, key)
	}
	if err != nil {
		_ = f.Close()
		return nil, providers.Object{}, err
	}
	return f, object(key, info), nil
}

func notRegular(b *bucket, key string) error {
	return b.newError("get", key, providers.NotFound, "not a regular file")
}

// length returns how many bytes a read returns, if its conditions
// hold.
func (b *bucket) length(o providers.Object, opts providers.ReadOptions) (int64, error) {
	switch {
	case opts.IfMatch != "" && opts.IfMatch != o.ETag:
		return 0, b.newError("get", o.Key, providers.Conflict, "the file has changed")
	case opts.Offset < 0 || opts.Length < 0, opts.Offset >= o.Size && o.Size > 0:
		detail := fmt.Sprintf("no byte %d in a file of %d", opts.Offset, o.Size)
		return 0, b.newError("get", o.Key, providers.Invalid, detail)
	}
	n := o.Size - min(opts.Offset, o.Size)
	if opts.Length > 0 {
		n = min(n, opts.Length)
	}
	return n, nil
}

// Delete implements providers.Bucket. Directories stay, even empty
// ones.
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
	return b.wrapError("delete", key, err)
}

// Close implements providers.Bucket.
func (b *bucket) Close() error {
	if b.root == nil {
		return nil
	}
	return b.root.Close()
}

// Diagnose implements providers.Diagnoser. There is no network to
// check.
func (b *bucket) Diagnose(context.Context) []tasks.Check { return nil }

// ready checks that an operation is possible at all. The key is empty
// for a listing.
func (b *bucket) ready(ctx context.Context, op, key string) error {
	switch {
	case ctx.Err() != nil:
		return b.wrapError(op, key, ctx.Err())
	case b.openErr != nil:
		return b.wrapError(op, "", b.openErr)
	case op != "list" && !isPath(key):
		return b.newError(op, key, providers.Invalid,
			`a key must be a path without empty, "." and ".." segments`)
	case isUnfinished(key):
		return b.newError(op, key, providers.Invalid, "the name is reserved for unfinished files")
	}
	return nil
}

// isPath reports whether a key can be a path. Unlike fs.ValidPath it
// allows names that are not UTF-8, because disks have them.
func isPath(key string) bool {
	return key != "." && !strings.ContainsRune(key, 0) &&
		fs.ValidPath(strings.ToValidUTF8(key, "?"))
}

func object(key string, info fs.FileInfo) providers.Object {
	etag := fmt.Sprintf("%x-%x-%x", info.Size(), info.ModTime().UnixNano(), inode(info))
	return providers.Object{Key: key, Size: info.Size(), ETag: etag, ModTime: info.ModTime()}
}
