package thumbnail

import (
	"context"
	"runtime"

	"golang.org/x/sync/semaphore"

	"github.com/stevedore-jobs/stevedore/worker/imagehead"
)

// bytesPerPixel is what a decoder takes at its worst, roughly: 8 for a 16-bit
// RGBA PNG, 1.5 to 12 for a JPEG.
const bytesPerPixel = 8

// memory bounds what the images of all shards in this process take. Files
// come before pixels, and pixels before a processor, always in this order,
// and who has all three needs nothing more: so there is always one that goes
// on.
type memory struct {
	files, decoded, processors *semaphore.Weighted
	fileBudget, pixelBudget    int64
}

func newMemory(budget int64) *memory {
	m := &memory{fileBudget: max(1, budget/4), pixelBudget: budget}
	m.files = semaphore.NewWeighted(m.fileBudget)
	m.decoded = semaphore.NewWeighted(m.pixelBudget)
	m.processors = semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0)))
	return m
}

// file waits for the room that a file of size bytes needs. A larger one than
// all room waits until it has all. Call release when the file is not needed
// any more.
func (m *memory) file(ctx context.Context, size int64) (release func(), err error) {
	return acquire(ctx, m.files, min(size, m.fileBudget))
}

// pixels waits for the room that the decoded image needs, and for a
// processor.
func (m *memory) pixels(ctx context.Context, h imagehead.Head) (release func(), err error) {
	room, err := acquire(ctx, m.decoded, min(int64(h.Width)*int64(h.Height)*bytesPerPixel, m.pixelBudget))
	if err != nil {
		return nil, err
	}
	processor, err := acquire(ctx, m.processors, 1)
	if err != nil {
		room()
		return nil, err
	}
	return func() { processor(); room() }, nil
}

func acquire(ctx context.Context, s *semaphore.Weighted, n int64) (release func(), err error) {
	if err := s.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { s.Release(n) }, nil
}
