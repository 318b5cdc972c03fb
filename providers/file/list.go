package file

import (
	"cmp"
	"context"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// List implements providers.Bucket. A disk returns names in no order,
// so List reads each directory as a whole. It cannot start in the
// middle of one, and refuses opts.Direct.
func (b *bucket) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		w := walk{bucket: b, opts: opts, yield: yield}
		err := b.ready(ctx, "list", "")
		if err == nil && opts.Direct {
			err = b.newError("list", "", providers.Invalid, "a directory is always read as a whole")
		}
		if err == nil {
			_, err = w.directory(ctx, "")
		}
		if err != nil {
			yield(providers.Object{}, b.wrapError("list", "", err))
		}
	}
}

// KeyOrder implements providers.Ordered. List sorts the names.
func (b *bucket) KeyOrder() keyorder.Order { return keyorder.Bytes }

// walk is one listing.
type walk struct {
	bucket *bucket
	opts   providers.ListOptions
	yield  func(providers.Object, error) bool
}

// directory yields the objects in a directory, "" or "a/b/". It
// returns false if the listing is to end.
func (w *walk) directory(ctx context.Context, dir string) (more bool, err error) {
	entries, err := w.read(dir)
	if err != nil {
		return false, err
	}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if more, err := w.entry(ctx, dir+entry.Name(), entry); !more || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (w *walk) entry(ctx context.Context, key string, entry fs.DirEntry) (more bool, err error) {
	switch {
	case w.opts.Through != "" && keyorder.Bytes.Before(w.opts.Through, key):
		return false, nil
	case entry.IsDir() && w.mayContain(key+"/"):
		return w.directory(ctx, key+"/")
	case !entry.Type().IsRegular() || isUnfinished(key) || !w.wants(key):
		return true, nil
	}

	info, err := entry.Info()
	switch {
	case kindOf(err) == providers.NotFound: // removed after the directory was read
		return true, nil
	case err != nil:
		return false, err
	}
	return w.yield(object(key, info), nil), nil
}

func (w *walk) wants(key string) bool {
	return strings.HasPrefix(key, w.opts.Prefix) && keyorder.Bytes.Before(w.opts.After, key)
}

// mayContain reports whether a directory, written with a slash at its
// end, can contain a key that was asked for.
func (w *walk) mayContain(dir string) bool {
	prefix, after := w.opts.Prefix, w.opts.After
	return (strings.HasPrefix(dir, prefix) || strings.HasPrefix(prefix, dir)) &&
		(keyorder.Bytes.Before(after, dir) || strings.HasPrefix(after, dir))
}

// read returns the entries of a directory in the order of their keys.
// A directory sorts as its name with a slash, because the keys below
// it begin so. A directory that was removed or replaced meanwhile is
// empty.
func (w *walk) read(dir string) ([]fs.DirEntry, error) {
	entries, err := w.entries(dir)
	if dir != "" && kindOf(err) == providers.NotFound {
		return nil, nil
	}
	slices.SortFunc(entries, func(x, y fs.DirEntry) int {
		return cmp.Compare(sortName(x), sortName(y))
	})
	return entries, err
}

// entries reads a directory. It does not wait for the other end of a
// pipe that has taken the directory's place.
func (w *walk) entries(dir string) ([]fs.DirEntry, error) {
	f, err := w.bucket.root.OpenFile("./"+dir, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return f.ReadDir(-1)
}

func sortName(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}
