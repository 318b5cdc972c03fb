package thumbnail

import (
	"context"
	"fmt"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// codeTooLarge is the code of an image beyond the limits.
const codeTooLarge = "too-large"

func tooLarge(format string, args ...any) error {
	return &head.Error{Code: codeTooLarge, Detail: fmt.Sprintf(format, args...)}
}

// maxFront is how many bytes of an image are read before it has a share
// of the memory budget. Few images have their head behind them.
const maxFront = 64 << 10

// source is an image of a bucket that is about to be read.
type source struct {
	bucket providers.Bucket
	object providers.Object // as it was listed; no other version is read
	body   *providers.Reader
	front  []byte // the first bytes of the body, at most maxFront
	read   int64  // bytes of all requests
}

// openImage opens an image. The caller must close it.
func openImage(
	ctx context.Context, b providers.Bucket, o providers.Object,
) (*source, error) {
	body, err := b.Open(ctx, o.Key, providers.ReadOptions{IfMatch: o.ETag})
	if err != nil {
		return nil, err
	}
	return &source{bucket: b, object: o, body: body}, nil
}

func (s *source) close() { _ = s.body.Close() }

// head returns the head of the image. It takes the bytes from the front
// of the body, and asks for those that are farther behind.
func (s *source) head(ctx context.Context) (head.Head, error) {
	return imagehead.Read(func(off, n int64) ([]byte, error) {
		if off+n > maxFront {
			return s.part(ctx, off, n)
		}
		err := s.readFront(off + n)
		return s.front[min(off, int64(len(s.front))):], err
	}, s.object.Size, imagehead.FirstRead(s.object.Key))
}

// readFront reads until the front has n bytes, or the body ends.
func (s *source) readFront(n int64) error {
	have := int64(len(s.front))
	if n <= have {
		return nil
	}
	more, err := job.ReadUpTo(s.body, n-have)
	s.front = append(s.front, more...)
	s.read += int64(len(more))
	return err
}

// part reads n bytes from an offset in a request of its own.
func (s *source) part(ctx context.Context, off, n int64) ([]byte, error) {
	opts := providers.ReadOptions{Offset: off, Length: n, IfMatch: s.object.ETag}
	data, err := job.ReadRange(ctx, s.bucket, s.object.Key, opts)
	s.read += int64(len(data))
	return data, err
}

// content reads the whole image. The share pays for it as it comes.
func (s *source) content(
	ctx context.Context, share *memory.Share,
) (c memory.Content, err error) {
	if err := share.Grow(ctx, int64(len(s.front))); err != nil {
		return c, err
	}
	c.Add(s.front)
	s.front = nil
	before := c.Size()
	err = c.ReadFrom(ctx, share, s.body, s.object.Size)
	s.read += c.Size() - before
	return c, err
}
