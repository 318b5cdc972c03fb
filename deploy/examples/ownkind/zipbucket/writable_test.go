package zipbucket_test

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
)

// writable is a zip bucket that can be written to, for the suite. It
// holds the objects in memory, and writes the zip file before it is
// read. So the suite tests how the provider lists, reads and fails.
type writable struct {
	providers.Bucket // the provider's
	file             string
	mu               *sync.Mutex
	objects          map[string]entry
	changed          *bool // the zip file is older than objects
}

type entry struct {
	data []byte
	info providers.Object
}

func newWritable(t testing.TB) providers.Bucket {
	t.Helper()
	dir := t.TempDir()
	w := writable{
		Bucket: open(t, dir, "photos"), file: filepath.Join(dir, "photos.zip"),
		mu: new(sync.Mutex), objects: map[string]entry{}, changed: new(true),
	}
	w.flush()
	return w
}

// Unwrap lets the suite find the provider's checks.
func (w writable) Unwrap() providers.Bucket { return w.Bucket }

func (w writable) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	w.flush()
	return w.Bucket.List(ctx, opts)
}

func (w writable) Stat(ctx context.Context, key string) (providers.Object, error) {
	w.flush()
	return w.Bucket.Stat(ctx, key)
}

func (w writable) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	w.flush()
	return w.Bucket.Open(ctx, key, opts)
}

func (w writable) Put(ctx context.Context, key string, body io.Reader, opts providers.WriteOptions) (providers.Object, error) {
	data, err := io.ReadAll(body)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return providers.Object{}, providers.Failed("put", "photos", key, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	old, exists := w.objects[key]
	if opts.IfAbsent && exists || opts.IfMatch != "" && opts.IfMatch != old.info.ETag {
		return providers.Object{}, &providers.Error{Op: "put", Bucket: "photos", Key: key, Kind: providers.Conflict}
	}
	if key == "" {
		return providers.Object{}, &providers.Error{Op: "put", Bucket: "photos", Kind: providers.Invalid}
	}
	now := time.Now()
	info := providers.Object{
		Key: key, Size: int64(len(data)), ModTime: now,
		ETag: fmt.Sprintf("%08x-%x-%x", crc32.ChecksumIEEE(data), len(data), now.Unix()),
	}
	w.objects[key], *w.changed = entry{data, info}, true
	return info, nil
}

func (w writable) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return providers.Failed("delete", "photos", key, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.objects, key)
	*w.changed = true
	return nil
}

// flush writes the zip file. If that fails the bucket does not exist,
// and the test fails.
func (w writable) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !*w.changed {
		return
	}
	*w.changed = false
	temporary := w.file + ".new"
	if w.write(temporary) == nil {
		_ = os.Rename(temporary, w.file)
	}
}

func (w writable) write(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	z := zip.NewWriter(f)
	for key, o := range w.objects {
		header := &zip.FileHeader{Name: key, Modified: o.info.ModTime, Method: zip.Deflate}
		if len(o.data) > 1<<20 {
			header.Method = zip.Store // to compress it takes long
		}
		to, wrong := z.CreateHeader(header)
		if wrong == nil {
			_, wrong = to.Write(o.data)
		}
		err = errors.Join(err, wrong)
	}
	return errors.Join(err, z.Close(), f.Close())
}
