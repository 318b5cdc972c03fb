package thumbnail

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/raster"
)

// rendering is a finished thumbnail.
type rendering struct {
	jpeg          []byte
	width, height int
}

// render decodes an image, scales it down, turns it upright and
// flattens it on white. The same image gives the same bytes. An error
// or a panic of the decoder means that the image is corrupt.
func (m maker) render(from io.Reader, h head.Head) (r rendering, err error) {
	defer func() {
		if p := recover(); p != nil {
			r, err = rendering{}, decodeError(h, fmt.Errorf("the decoder failed: %v", p))
		}
	}()
	img, err := m.decoder()(h.Type, from)
	if err != nil {
		return rendering{}, decodeError(h, err)
	}
	if size := img.Bounds().Size(); size != image.Pt(h.Width, h.Height) {
		return rendering{}, decodeError(h, fmt.Errorf(
			"it has %d x %d pixels, and its header says %d x %d",
			size.X, size.Y, h.Width, h.Height))
	}

	width, height := fit(h.Width, h.Height, m.size)
	flat := raster.Flatten(raster.Upright(raster.Resize(img, width, height), h.Orientation))
	var out bytes.Buffer
	if err := raster.EncodeJPEG(&out, flat, m.quality); err != nil {
		return rendering{}, err
	}
	return rendering{out.Bytes(), flat.Rect.Dx(), flat.Rect.Dy()}, nil
}

// memory returns how many bytes render takes at most for an image with
// a head.
func (m maker) memory(h head.Head) int64 {
	width, height := fit(h.Width, h.Height, m.size)
	small := int64(width) * int64(height)
	return raster.DecodeMemory(h) +
		raster.ResizeMemory(h.Width, h.Height, width, height) +
		raster.UprightMemory(width, height, h.Orientation) +
		raster.FlatMemory(width, height) +
		small*encodedBytes
}

// encodedBytes is how many bytes a pixel of a thumbnail takes at most
// while it is encoded. Noise takes 2.3 bytes in the best quality. The
// buffer doubles when it is full, and holds three times as much then.
const encodedBytes = 7

// decoder returns the maker's own decoder, or raster's.
func (m maker) decoder() func(head.Type, io.Reader) (image.Image, error) {
	if m.decode != nil {
		return m.decode
	}
	return raster.Decode
}

// decodeError returns the error of an image that cannot be decoded.
func decodeError(h head.Head, err error) error {
	code := head.CodeCorrupt
	if errors.Is(err, raster.ErrUnsupported) {
		code = head.CodeUnsupported
	}
	return &head.Error{
		Code: code, Type: h.Type, Err: err,
		Detail: fmt.Sprintf("the %s cannot be decoded", h.Type),
	}
}

// fit returns the size of a thumbnail. It keeps the image's proportions
// and makes the longest side at most size; each side has at least one
// pixel. Small images are not enlarged.
func fit(width, height, size int) (int, int) {
	longest := max(width, height)
	if longest <= size {
		return width, height
	}
	scale := func(side int) int { return max(1, (2*side*size+longest)/(2*longest)) }
	return scale(width), scale(height)
}
