package thumbnail

import (
	"context"
	"fmt"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
)

// codeTooLarge is the code of an image beyond the limits.
const codeTooLarge = "too-large"

func tooLarge(format string, args ...any) error {
	return &imagehead.Error{Code: codeTooLarge, Detail: fmt.Sprintf(format, args...)}
}

// fetch reads an image in one request: its header, and the rest only when the
// header is within the limits. All of it is of the version that was listed.
// With an error comes as much as was read.
func fetch(ctx context.Context, b providers.Bucket, o providers.Object) ([]byte, imagehead.Head, error) {
	r, err := b.Open(ctx, o.Key, providers.ReadOptions{IfMatch: o.ETag})
	if err != nil {
		return nil, imagehead.Head{}, err
	}
	defer func() { _ = r.Close() }()
	body := growing{r: r, buf: make([]byte, 0, o.Size)}
	head, err := imagehead.Read(func(off, n int64) ([]byte, error) {
		if err := body.grow(off + n); err != nil {
			return nil, err
		}
		return body.buf[min(off, int64(len(body.buf))):], nil
	}, o.Size, imagehead.FirstRead(o.Key))
	if err != nil {
		return body.buf, imagehead.Head{}, err
	}
	if pixels := int64(head.Width) * int64(head.Height); pixels > maxPixels {
		return body.buf, imagehead.Head{}, tooLarge("the image has %d x %d pixels; the limit is %d million", head.Width, head.Height, maxPixels/1_000_000)
	}
	err = body.grow(o.Size)
	return body.buf, head, err
}

// growing is the first part of a body, as far as it was read.
type growing struct {
	r   io.Reader
	buf []byte
}

// grow reads on until it has n bytes, or the body ends.
func (g *growing) grow(n int64) error {
	have := int64(len(g.buf))
	if n <= have {
		return nil
	}
	got, err := io.ReadFull(g.r, g.buf[have:n])
	g.buf = g.buf[:have+int64(got)]
	if err == io.EOF || err == io.ErrUnexpectedEOF { // the decoder will say what is missing
		return nil
	}
	return err
}
