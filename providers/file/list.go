package file

import (
	"cmp"
	"context"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

// List implements providers.Bucket. It reads one directory at a time, whole,
// because a disk gives names in no order. So it never starts in the middle of
// one, and refuses to be Direct.
func (b *bucket) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		w := walk{bucket: b, opts: opts, yield: yield}
		err := b.ready(ctx, "list", "")
		if err == nil && opts.Direct {
			err = b.fault("list", "", providers.Invalid, "a directory is always read whole")
		}
		if err == nil {
			_, err = w.directory(ctx, "")
		}
		if err != nil {
			yield(providers.Object{}, b.classify("list", "", err))
		}
	}
}

// walk is one listing under way.
type walk struct {
	bucket *bucket
	opts   providers.ListOptions
	yield  func(providers.Object, error) bool
}

// directory yields what lies in a directory, "" or "a/b/", and reports
// whether to go on.
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
	case w.opts.Through != "" && key > w.opts.Through:
		return false, nil
	case entry.IsDir() && w.wantsSome(key+"/"):
		return w.directory(ctx, key+"/")
	case !entry.Type().IsRegular() || isTemporary(key) || !strings.HasPrefix(key, w.opts.Prefix) || key <= w.opts.After:
		return true, nil
	}
	info, err := entry.Info()
	switch {
	case kindOf(err) == providers.NotFound: // removed since the directory was read
		return true, nil
	case err != nil:
		return false, err
	}
	return w.yield(object(key, info), nil), nil
}

// wantsSome reports whether a directory, ending in a slash, can hold a key
// that was asked for.
func (w *walk) wantsSome(dir string) bool {
	prefix, after := w.opts.Prefix, w.opts.After
	return (strings.HasPrefix(dir, prefix) || strings.HasPrefix(prefix, dir)) &&
		(dir > after || strings.HasPrefix(after, dir))
}

// read gives a directory's entries in the order of the keys they lead to. A
// directory sorts as its name with a slash, since that is how the keys below
// it go on. One that is gone meanwhile is empty.
func (w *walk) read(dir string) ([]fs.DirEntry, error) {
	f, err := w.bucket.root.Open("./" + dir)
	if err != nil {
		if dir != "" && kindOf(err) == providers.NotFound {
			return nil, nil
		}
		return nil, err
	}
	defer func() { _ = f.Close() }()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(x, y fs.DirEntry) int { return cmp.Compare(sortName(x), sortName(y)) })
	return entries, err
}

func sortName(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}
