package export

import (
	"context"
	"errors"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// imageSource is the bucket with the images.
type imageSource struct {
	bucket    providers.Bucket
	storage   tasks.Storage
	directory imageDirectory
	parallel  int // requests at once
	listed    *problemRoom
	memory    *memory.Budget
}

const (
	maxHeld  = 8 << 20  // bytes of an image that is held in memory whole
	maxFirst = 1 << 20  // bytes that are held of a larger image
	minFirst = 32 << 10 // bytes that are held of any image if the memory budget has no room
	maxAhead = 8        // images that are fetched before they are needed
)

// held returns how many bytes an image may have to be held in memory
// whole, also if it is not turned.
func (s *imageSource) held() int64 { return min(maxHeld, s.memory.LargestBeside()) }

// fetchAll returns the images in order, several of them fetched ahead.
// The caller must close each; those that it does not take are closed
// here.
func (s *imageSource) fetchAll() job.Prefetch[*imageRecord, *imageFile] {
	n := max(1, min(s.parallel, maxAhead))
	return job.Prefetch[*imageRecord, *imageFile]{
		Do: s.fetch, Parallel: n, Ahead: n,
		Discard: func(f *imageFile) { _ = f.Close() },
	}
}

// fetch opens an image and reads it whole, or only its first bytes if
// it is large or if there is no room for more in the memory budget. The
// annotations that name the image are written already, so an image that
// is missing now is a Conflict: the next attempt will leave it out.
func (s *imageSource) fetch(ctx context.Context, im *imageRecord) (*imageFile, error) {
	key := s.directory.key(im)
	r, err := s.bucket.Open(ctx, key, providers.ReadOptions{})
	if errors.Is(err, providers.NotFound) && !concernsBucket(err) {
		return nil, &providers.Error{
			Op: "get", Bucket: s.storage.Bucket, Key: key,
			Kind: providers.Conflict, Code: "ImageVanished",
			Detail: "the image was removed while the job ran",
		}
	}
	if err != nil {
		return nil, asRefused(key, err)
	}

	f := &imageFile{im: im, key: key, body: r, size: r.Object.Size}
	n := f.size
	if n > s.held() {
		n = min(n, maxFirst)
	}
	release, hasRoom := s.memory.TryAcquire(n)
	if f.release = release; !hasRoom {
		n = min(n, minFirst)
	}
	f.first = make([]byte, n)
	_, err = io.ReadFull(r, f.first)
	if err == nil && f.complete() {
		err = r.Close()
	}
	if err != nil {
		_ = f.Close()
	}
	return f, s.failed(im, err)
}

// failed adds the image to an error of reading it; nil stays nil.
func (s *imageSource) failed(im *imageRecord, err error) error {
	return providers.Failed("get", s.storage.Bucket, s.directory.key(im), err)
}

// errReader keeps the error of a reader. After a copy it shows whether
// the reader or the writer has failed.
type errReader struct {
	r   io.Reader
	err error // nil at the end of the content
}

// Read implements io.Reader.
func (e *errReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && err != io.EOF {
		e.err = err
	}
	return n, err
}
