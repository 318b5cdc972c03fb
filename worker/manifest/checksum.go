package manifest

import (
	"context"
	"errors"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/manifest/checksum"
)

// checksum returns the checksum of an image, and how many bytes it has
// read: all of the image. The checksum is empty if the image gets none.
func (r headReader) checksum(
	ctx context.Context, o providers.Object, h head.Head,
) (sum string, read int64, err error) {
	n := checksum.Memory(h, o.Size)
	if n == 0 || n > r.budget.Largest() {
		return "", 0, nil
	}
	release, err := r.budget.Acquire(ctx, n)
	if err != nil {
		return "", 0, err
	}
	defer release()
	r.seen.Requests++
	body, err := r.bucket.Open(ctx, o.Key, providers.ReadOptions{IfMatch: o.ETag})
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = body.Close() }()
	counted := countedReader{Reader: body}
	sum, err = checksum.Sum(ctx, h, &counted)
	if errors.Is(err, checksum.ErrNone) {
		err = nil
	}
	return sum, counted.read, err
}

// countedReader counts the bytes that are read.
type countedReader struct {
	io.Reader
	read int64
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += int64(n)
	return n, err
}
