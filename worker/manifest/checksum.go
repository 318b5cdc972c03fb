package manifest

import (
	"context"
	"errors"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/manifest/checksum"
	"github.com/stevedore-jobs/stevedore/worker/manifest/entry"
)

// addChecksum gives an entry its checksum, for which it reads all of the
// image. An image that gets none is counted.
func (r headReader) addChecksum(
	ctx context.Context, o providers.Object, h head.Head, item *job.Item,
) error {
	sum, err := "", checksum.ErrNone
	if n := checksum.Memory(h, o.Size); n > 0 && n <= r.budget.Largest() {
		var read int64
		sum, read, err = r.checksum(ctx, o, h)
		item.Bytes += read
	}
	switch {
	case errors.Is(err, checksum.ErrNone):
		item.Tally = tallyWithout
		return nil
	case err != nil:
		return err
	}
	item.Data = entry.WithChecksum(item.Data, sum)
	return nil
}

// checksum returns the checksum of an image, and how many bytes it has
// read.
func (r headReader) checksum(
	ctx context.Context, o providers.Object, h head.Head,
) (sum string, read int64, err error) {
	release, err := r.budget.Acquire(ctx, checksum.Memory(h, o.Size))
	if err != nil {
		return "", 0, err
	}
	defer release()
	body, err := r.bucket.Open(ctx, o.Key, providers.ReadOptions{IfMatch: o.ETag})
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = body.Close() }()
	counted := counter{Reader: body}
	sum, err = checksum.Sum(ctx, h, &counted)
	return sum, counted.read, err
}

// counter counts the bytes that are read.
type counter struct {
	io.Reader
	read int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += int64(n)
	return n, err
}
