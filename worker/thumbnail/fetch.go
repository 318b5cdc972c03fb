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

// fetch reads an image in one request: first its header, and the rest
// only if the header is within the limits. It reads only the version
// that was listed. If it fails, it returns the bytes read so far too.
func fetch(
	ctx context.Context, b providers.Bucket, o providers.Object,
) ([]byte, imagehead.Head, error) {
	r, err := b.Open(ctx, o.Key, providers.ReadOptions{IfMatch: o.ETag})
	if err != nil {
		return nil, imagehead.Head{}, err
	}
	defer func() { _ = r.Close() }()

	body := partialBody{r: r, buf: make([]byte, 0, o.Size)}
	head, err := imagehead.Read(func(off, n int64) ([]byte, error) {
		if err := body.readTo(off + n); err != nil {
			return nil, err
		}
		return body.buf[min(off, int64(len(body.buf))):], nil
	}, o.Size, imagehead.FirstRead(o.Key))
	if err != nil {
		return body.buf, imagehead.Head{}, err
	}
	if int64(head.Width)*int64(head.Height) > maxPixels {
		return body.buf, imagehead.Head{}, tooLarge(
			"the image has %d x %d pixels; the limit is %d million",
			head.Width, head.Height, maxPixels/1_000_000)
	}
	err = body.readTo(o.Size)
	return body.buf, head, err
}

// partialBody is a body and the first bytes of it that were read.
type partialBody struct {
	r   io.Reader
	buf []byte // has room for the whole body
}

// readTo reads until buf has n bytes or the body ends. A body that
// ends early is no error: the decoder reports what is missing.
func (p *partialBody) readTo(n int64) error {
	have := int64(len(p.buf))
	if n <= have {
		return nil
	}
	got, err := io.ReadFull(p.r, p.buf[have:n])
	p.buf = p.buf[:have+int64(got)]
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}
