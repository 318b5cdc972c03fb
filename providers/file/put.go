package file

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/stevedore-jobs/stevedore/providers"
)

// unfinishedPrefix begins the names of unfinished files. They are in
// the bucket's directory itself. Listings do not show them, and no
// key may begin so. After a crash they can be removed by hand.
const unfinishedPrefix = ".stevedore-unfinished-"

func isUnfinished(key string) bool { return strings.HasPrefix(key, unfinishedPrefix) }

// Put implements providers.Bucket. The content is on the disk before
// the key appears. IfAbsent is exact even between processes. IfMatch
// is checked just before the file is replaced; it is exact only
// between buckets of one Opener.
func (b *bucket) Put(
	ctx context.Context, key string, body io.Reader, opts providers.WriteOptions,
) (providers.Object, error) {
	if err := b.ready(ctx, "put", key); err != nil {
		return providers.Object{}, err
	}
	u := upload{bucket: b, key: key, name: unfinishedPrefix + rand.Text()}
	defer func() { _ = b.root.Remove(u.name) }() // after a rename there is nothing to remove
	if err := u.write(ctx, body); err != nil {
		return providers.Object{}, b.wrapError("put", key, err)
	}
	info, err := u.commit(opts)
	if err != nil {
		return providers.Object{}, b.wrapError("put", key, err)
	}
	return object(key, info), nil
}

// upload is one Put.
type upload struct {
	bucket *bucket
	key    string
	name   string // of the unfinished file
}

// write creates the unfinished file and flushes it to the disk.
func (u upload) write(ctx context.Context, body io.Reader) error {
	f, err := u.bucket.root.OpenFile(u.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, untilDone(ctx, body))
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// commit moves the finished file to its key, in one step.
func (u upload) commit(opts providers.WriteOptions) (fs.FileInfo, error) {
	b := u.bucket
	b.commit.Lock()
	defer b.commit.Unlock()
	old, err := b.root.Lstat(u.key)
	switch {
	case err == nil && old.IsDir():
		return nil, b.newError("put", u.key, providers.Invalid,
			"a directory of that name holds other files")
	case opts.IfMatch != "" && (err != nil || object(u.key, old).ETag != opts.IfMatch):
		return nil, b.newError("put", u.key, providers.Conflict, "the file has changed or is gone")
	}
	if err := u.makeDirectory(); err != nil {
		return nil, err
	}

	move := b.root.Rename
	if opts.IfAbsent {
		move = b.root.Link // unlike a rename it fails if the key exists
	}
	if err := move(u.name, u.key); err != nil {
		return nil, err
	}
	return b.root.Lstat(u.key)
}

// makeDirectory creates the directory of the key.
func (u upload) makeDirectory() error {
	dir := path.Dir(u.key)
	if dir == "." {
		return nil
	}
	err := u.bucket.root.MkdirAll(dir, 0o755)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTDIR) {
		return u.bucket.newError("put", u.key, providers.Invalid,
			"its directory has the name of a file")
	}
	return err
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// untilDone returns a body that fails when the context has ended.
func untilDone(ctx context.Context, body io.Reader) io.Reader {
	return readFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return body.Read(p)
	})
}
