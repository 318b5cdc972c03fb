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

// Unfinished files lie at the top of the bucket under names that start so.
// Listings do not show them, and no key may be one. After a crash they can be
// removed by hand.
const temporary = ".stevedore-unfinished-"

func isTemporary(key string) bool { return strings.HasPrefix(key, temporary) }

// Put implements providers.Bucket. The content is on the disk before the key
// shows it. Between processes IfAbsent is exact; IfMatch is checked a moment
// before the file is replaced, exactly only among the buckets of one Opener.
// A body that waits for something must itself heed ctx.
func (b *bucket) Put(ctx context.Context, key string, body io.Reader, opts providers.WriteOptions) (providers.Object, error) {
	if err := b.ready(ctx, "put", key); err != nil {
		return providers.Object{}, err
	}
	name := temporary + rand.Text()
	defer func() { _ = b.root.Remove(name) }() // gone already when it was renamed
	if err := b.write(ctx, name, body); err != nil {
		return providers.Object{}, b.classify("put", key, err)
	}
	info, err := b.place(name, key, opts)
	if err != nil {
		return providers.Object{}, b.classify("put", key, err)
	}
	return object(key, info), nil
}

// write makes the unfinished file and brings it to the disk.
func (b *bucket) write(ctx context.Context, name string, body io.Reader) error {
	f, err := b.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
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

// place puts the finished file where the key says, in one step.
func (b *bucket) place(name, key string, opts providers.WriteOptions) (fs.FileInfo, error) {
	b.commit.Lock()
	defer b.commit.Unlock()
	old, err := b.root.Lstat(key)
	switch {
	case err == nil && old.IsDir():
		return nil, b.fault("put", key, providers.Invalid, "a directory of that name holds other files")
	case opts.IfMatch != "" && (err != nil || object(key, old).ETag != opts.IfMatch):
		return nil, b.fault("put", key, providers.Conflict, "the file has changed or is gone")
	}
	if dir := path.Dir(key); dir != "." {
		err := b.root.MkdirAll(dir, 0o755)
		switch {
		case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.ENOTDIR):
			return nil, b.fault("put", key, providers.Invalid, "a file stands where its directory would be")
		case err != nil:
			return nil, err
		}
	}
	move := b.root.Rename
	if opts.IfAbsent {
		move = b.root.Link // unlike a rename it fails when the key exists
	}
	if err := move(name, key); err != nil {
		return nil, err
	}
	return b.root.Lstat(key)
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// untilDone is a body that ends with its context.
func untilDone(ctx context.Context, body io.Reader) io.Reader {
	return readFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return body.Read(p)
	})
}
