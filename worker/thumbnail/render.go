package thumbnail

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"

	"github.com/disintegration/imaging"

	"github.com/stevedore-jobs/stevedore/worker/imagehead"
)

// thumb is a finished thumbnail.
type thumb struct {
	jpeg          []byte
	width, height int
}

// render decodes an image, scales it down, turns it upright and flattens it
// on white. The same image gives the same bytes. A decoder's panic is a
// corrupt image, as is its error.
func (m maker) render(data []byte, h imagehead.Head) (t thumb, err error) {
	defer func() {
		if p := recover(); p != nil {
			t, err = thumb{}, broken(h, fmt.Errorf("the decoder failed: %v", p))
		}
	}()
	img, err := m.decoder()(data, h)
	if err != nil {
		return thumb{}, broken(h, err)
	}
	if size := img.Bounds().Size(); size != image.Pt(h.Width, h.Height) {
		return thumb{}, broken(h, fmt.Errorf("it has %d x %d pixels, and its header says %d x %d", size.X, size.Y, h.Width, h.Height))
	}
	w, ht := fit(h.Width, h.Height, m.size)
	flat := flatten(imagehead.Upright(imaging.Resize(img, w, ht, imaging.Lanczos), h.Orientation))
	var out bytes.Buffer
	if err := jpeg.Encode(&out, flat, &jpeg.Options{Quality: m.quality}); err != nil {
		return thumb{}, err
	}
	return thumb{out.Bytes(), flat.Rect.Dx(), flat.Rect.Dy()}, nil
}

// decoder is the maker's own, or the standard library's.
func (m maker) decoder() func([]byte, imagehead.Head) (image.Image, error) {
	if m.decode != nil {
		return m.decode
	}
	return decode
}

func decode(data []byte, h imagehead.Head) (image.Image, error) {
	if h.Type == imagehead.PNG {
		return png.Decode(bytes.NewReader(data))
	}
	return jpeg.Decode(bytes.NewReader(data))
}

// broken is the fault of an image that a decoder refused.
func broken(h imagehead.Head, err error) error {
	code := imagehead.CodeCorrupt
	if errors.As(err, new(jpeg.UnsupportedError)) || errors.As(err, new(png.UnsupportedError)) {
		code = imagehead.CodeUnsupported
	}
	return &imagehead.Error{Code: code, Type: h.Type, Detail: fmt.Sprintf("the %s cannot be decoded", h.Type), Err: err}
}

// fit is the size of a thumbnail: as the image is, with its longest side at
// most size, never enlarged, at least one pixel.
func fit(width, height, size int) (int, int) {
	longest := max(width, height)
	if longest <= size {
		return width, height
	}
	scale := func(side int) int { return max(1, (2*side*size+longest)/(2*longest)) }
	return scale(width), scale(height)
}

// flatten puts an image on white.
func flatten(m image.Image) *image.RGBA {
	flat := image.NewRGBA(image.Rectangle{Max: m.Bounds().Size()})
	draw.Draw(flat, flat.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Rect, m, m.Bounds().Min, draw.Over)
	return flat
}
