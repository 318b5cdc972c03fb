package dataset

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
)

// encode makes the file of an image. Its name decides between PNG and
// JPEG.
func (s Image) encode() ([]byte, error) {
	var out bytes.Buffer
	m := s.paint()
	if strings.HasSuffix(s.Key, ".png") {
		err := png.Encode(&out, m)
		return out.Bytes(), err
	}
	if s.Orientation == 6 {
		m = onItsSide(m)
	}
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 88}); err != nil {
		return nil, err
	}
	if s.Orientation == 0 {
		return out.Bytes(), nil
	}
	return withOrientation(out.Bytes(), s.Orientation), nil
}

// onItsSide turns an image so that EXIF orientation 6 shows it upright:
// a quarter turn clockwise.
func onItsSide(m *image.RGBA) *image.RGBA {
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	out := image.NewRGBA(image.Rect(0, 0, h, w))
	for y := range w {
		for x := range h {
			out.SetRGBA(x, y, m.RGBAAt(w-1-y, x))
		}
	}
	return out
}

// withOrientation puts an Exif segment with one tag behind the first
// marker of a JPEG, where readers look for it.
func withOrientation(file []byte, orientation int) []byte {
	segment := []byte{
		0xff, 0xe1, 0, 34, // APP1 and its length, counted from here
		'E', 'x', 'i', 'f', 0, 0,
		'M', 'M', 0, 42, 0, 0, 0, 8, // TIFF header: big endian, first directory at 8
		0, 1, // one entry
		0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(orientation), 0, 0, // Orientation, one SHORT
		0, 0, 0, 0, // no further directory
	}
	const afterSOI = 2
	out := append([]byte(nil), file[:afterSOI]...)
	out = append(out, segment...)
	return append(out, file[afterSOI:]...)
}
