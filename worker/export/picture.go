package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
)

const (
	maxHeld  = 8 << 20    // bytes of an image that is held in memory whole
	maxHead  = 1 << 20    // bytes of a larger one that are looked at
	maxTurn  = 80_000_000 // pixels of an image that is decoded to be turned upright; some 12 bytes each
	maxBytes = 1 << 28    // bytes of a larger image that is read whole to be turned upright
)

// picture is an image's content: its first bytes, and where the rest comes
// from unless they are all.
type picture struct {
	im    *entry
	first []byte
	body  *providers.Reader
	size  int64
}

// Close lets the rest go. It may be called twice.
func (p *picture) Close() error { return p.body.Close() }

func (p *picture) whole() bool { return int64(len(p.first)) == p.size }

// fetch opens an image and reads it whole, or its first part when it is
// large. An image that was there before and is not now is a Conflict: the
// next attempt will leave it out.
func (x *exporter) fetch(ctx context.Context, im *entry) (*picture, error) {
	r, err := x.source.Open(ctx, x.key(im), providers.ReadOptions{})
	if errors.Is(err, providers.NotFound) && !ofBucket(err) {
		return nil, &providers.Error{
			Op: "get", Bucket: x.job.Source.Bucket, Key: x.key(im), Kind: providers.Conflict, Code: "ImageVanished",
			Detail: "the image was removed while the job ran",
		}
	}
	if err != nil {
		return nil, err
	}
	p := &picture{im: im, body: r, size: r.Object.Size}
	n := p.size
	if n > maxHeld {
		n = maxHead
	}
	err = p.read(n)
	if err != nil || p.whole() {
		_ = r.Close()
	}
	return p, providers.Failed("get", x.job.Source.Bucket, x.key(im), err)
}

// read goes on until the first n bytes are in memory.
func (p *picture) read(n int64) error {
	b := make([]byte, n)
	had := copy(b, p.first)
	if _, err := io.ReadFull(p.body, b[had:]); err != nil {
		return err
	}
	p.first = b
	return nil
}

var errBeyond = errors.New("beyond the bytes at hand")

// head finds the image's size and orientation, reading all of a large image
// when they lie that far behind. The *imagehead.Error says why there are
// none.
func (p *picture) head() (imagehead.Head, error) {
	h, err := imagehead.Read(func(off, n int64) ([]byte, error) {
		if off+n > int64(len(p.first)) {
			return nil, errBeyond
		}
		return p.first[off : off+n], nil
	}, p.size, int64(len(p.first)))
	if !errors.Is(err, errBeyond) {
		return h, err
	}
	if p.size > maxBytes {
		return h, &imagehead.Error{Code: codeTooLarge, Detail: "its size and orientation lie too far from its start to look for"}
	}
	if err := p.read(p.size); err != nil {
		return h, err
	}
	return p.head()
}

// inspect notes what is odd about an image, and says whether it must be
// turned so that files and coordinates agree for readers that do not know
// EXIF (GEN-03). A type that imagehead does not read is not looked into. The
// error is the source's.
func (p *picture) inspect() (orientation int, err error) {
	h, err := p.head()
	var bad *imagehead.Error
	switch {
	case errors.As(err, &bad):
		if bad.Code != imagehead.CodeUnsupported {
			p.odd(bad.Code, bad.Error())
		}
		return 1, nil
	case err != nil:
		return 1, err
	}
	if w, t := h.Display(); w != p.im.width || t != p.im.height {
		p.odd(codeSize, fmt.Sprintf("the stored image is %dx%d, its annotations are for %dx%d", w, t, p.im.width, p.im.height))
	}
	switch {
	case h.Orientation == 1:
		return 1, nil
	case h.Type != imagehead.JPEG:
		p.odd(imagehead.CodeUnsupported, "a "+string(h.Type)+" with an EXIF orientation cannot be turned upright")
		return 1, nil
	case h.Width*h.Height > maxTurn || p.size > maxBytes:
		p.odd(codeTooLarge, "too large to be turned upright as its EXIF orientation asks")
		return 1, nil
	}
	return h.Orientation, nil
}

func (p *picture) odd(code, text string) {
	p.im.problems.add(problemf(code, "%s; exported as it is", text))
}

const turnQuality = 95

// turnUpright decodes a JPEG and encodes it turned, without its EXIF.
func turnUpright(data []byte, orientation int) ([]byte, error) {
	decoded, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = jpeg.Encode(&out, imagehead.Upright(decoded, orientation), &jpeg.Options{Quality: turnQuality})
	return out.Bytes(), err
}
