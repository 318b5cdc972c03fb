package thumbnail

import (
	"context"
	"runtime"

	"golang.org/x/sync/semaphore"

	"github.com/stevedore-jobs/stevedore/worker/imagehead"
)

// bytesPerPixel is about what a decoder needs: 8 for a PNG of 16-bit
// RGBA, 1.5 to 12 for a JPEG.
const bytesPerPixel = 8

// limits bounds what the images of all shards in this process take at
// once: bytes of files, bytes of decoded pixels, and processors.
//
// These are always acquired in this order: file, pixels, processor.
// An image that has all three needs nothing more, so deadlock is
// impossible.
type limits struct {
	files, decoded, processors *semaphore.Weighted
	fileBudget, pixelBudget    int64 // bytes
}

func newLimits(budget int64) *limits {
	m := &limits{fileBudget: max(1, budget/4), pixelBudget: budget}
	m.files = semaphore.NewWeighted(m.fileBudget)
	m.decoded = semaphore.NewWeighted(m.pixelBudget)
	m.processors = semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0)))
	return m
}

// acquireFile waits until size bytes of the file budget are free. A
// file larger than the whole budget waits until all of it is free.
// The caller must call release when it no longer needs the file.
func (m *limits) acquireFile(ctx context.Context, size int64) (release func(), err error) {
	return acquire(ctx, m.files, min(size, m.fileBudget))
}

// acquirePixels waits until the pixel budget has room for the decoded
// image, and then for a processor. The caller must call release
// afterwards.
func (m *limits) acquirePixels(
	ctx context.Context, h imagehead.Head,
) (release func(), err error) {
	need := min(int64(h.Width)*int64(h.Height)*bytesPerPixel, m.pixelBudget)
	releasePixels, err := acquire(ctx, m.decoded, need)
	if err != nil {
		return nil, err
	}
	releaseProcessor, err := acquire(ctx, m.processors, 1)
	if err != nil {
		releasePixels()
		return nil, err
	}
	return func() { releaseProcessor(); releasePixels() }, nil
}

func acquire(
	ctx context.Context, s *semaphore.Weighted, n int64,
) (release func(), err error) {
	if err := s.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { s.Release(n) }, nil
}
