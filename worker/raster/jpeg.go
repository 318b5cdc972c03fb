package raster

import (
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// decodeJPEG decodes a JPEG. CMYK is returned as RGB.
func decodeJPEG(r io.Reader) (image.Image, error) {
	m, err := jpeg.Decode(&markerReader{r: r})
	if cmyk, ok := m.(*image.CMYK); ok && err == nil {
		return inRGB(cmyk), nil
	}
	return m, err
}

func isUnsupportedJPEG(err error) bool {
	return isA[jpeg.UnsupportedError](err) || errors.Is(err, errLateColour) ||
		errors.Is(err, errManyScans)
}

// inRGB converts an image in place: a second one would take as much
// memory again.
func inRGB(m *image.CMYK) *image.NRGBA {
	for p := m.Pix; len(p) >= 4; p = p[4:] {
		p[0], p[1], p[2] = color.CMYKToRGB(p[0], p[1], p[2], p[3])
		p[3] = 255
	}
	return &image.NRGBA{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect}
}

// jpegMemory returns what decodeJPEG takes, as the decoder of Go 1.26
// does it:
//   - a byte a sample, up to whole blocks;
//   - for a progressive JPEG 4 bytes more a sample, for coefficients;
//   - for CMYK and RGB a copy with 4 bytes a pixel.
func jpegMemory(h head.Head) int64 {
	l := h.Layout
	if l.Components == 0 {
		return decoderMemory // it is refused before it takes anything
	}
	sampling := l.Sampling
	if l.Components == 1 {
		sampling[0] = head.Sampling{H: 1, V: 1}
	}
	for _, s := range sampling[:l.Components] {
		if s.H < 1 || s.H > 4 || s.V < 1 || s.V > 4 {
			return decoderMemory // refused too
		}
	}
	blocks := ceilDiv(h.Width, 8*sampling[0].H) * ceilDiv(h.Height, 8*sampling[0].V)
	samples := int64(0)
	for _, s := range sampling[:l.Components] {
		samples += blocks * 64 * int64(s.H*s.V)
	}
	total := samples + decoderMemory
	if l.Passes {
		total += 4 * samples
	}
	if l.Components == 4 || l.RGB {
		total += 4 * int64(h.Width) * int64(h.Height)
	}
	return total
}

// encodeGoodJPEG encodes an opaque image. JPEG knows no other.
func encodeGoodJPEG(w io.Writer, m image.Image) error {
	if n, ok := m.(*image.NRGBA); ok && n.Opaque() {
		// The same bytes; the encoder is fast for this type, and makes
		// no garbage.
		m = &image.RGBA{Pix: n.Pix, Stride: n.Stride, Rect: n.Rect}
	}
	return EncodeJPEG(w, m, goodQuality)
}

const goodQuality = 95
