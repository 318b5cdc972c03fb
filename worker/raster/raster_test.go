package raster

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

func encoded(t *testing.T, m image.Image) map[head.Type][]byte {
	t.Helper()
	var asJPEG, asPNG bytes.Buffer
	if err := errors.Join(EncodeJPEG(&asJPEG, m, 80), png.Encode(&asPNG, m)); err != nil {
		t.Fatal(err)
	}
	return map[head.Type][]byte{imagehead.JPEG: asJPEG.Bytes(), imagehead.PNG: asPNG.Bytes()}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for typ, data := range encoded(t, image.NewNRGBA(image.Rect(0, 0, 7, 5))) {
		m, err := Decode(typ, bytes.NewReader(data))
		if err != nil || m.Bounds().Size() != image.Pt(7, 5) {
			t.Errorf("%s: %v, %v", typ, m, err)
		}
		if _, err := Decode(typ, bytes.NewReader(data[:len(data)/2])); err == nil || errors.Is(err, ErrUnsupported) {
			t.Errorf("half a %s: %v", typ, err)
		}
	}
	if _, err := Decode("tiff", nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a type without a codec: %v", err)
	}
}

// The decoder's own error stays visible.
func TestDecode_UnsupportedFeature(t *testing.T) {
	t.Parallel()
	data := encoded(t, image.NewGray(image.Rect(0, 0, 8, 8)))[imagehead.JPEG]
	arithmetic := bytes.Replace(data, []byte{0xff, 0xc0}, []byte{0xff, 0xc9}, 1)
	_, err := Decode(imagehead.JPEG, bytes.NewReader(arithmetic))
	if !errors.Is(err, ErrUnsupported) || !errors.As(err, new(jpeg.UnsupportedError)) {
		t.Errorf("got %v", err)
	}
}

// A decoder that panics concerns one image. Callers must not have to
// recover.
func TestDecode_DecoderPanics(t *testing.T) {
	t.Parallel()
	c := codec{decode: func(io.Reader) (image.Image, error) { panic("boom") }}
	m, err := c.guardedDecode(nil)
	if m != nil || err == nil || err.Error() != "the decoder failed: boom" {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	for typ := range codecs {
		var out bytes.Buffer
		err := Encode(&out, typ, image.NewNRGBA(image.Rect(0, 0, 7, 5)))
		if (err == nil) != CanEncode(typ) {
			t.Errorf("%s: %v", typ, err)
		}
		if err != nil {
			continue
		}
		if m, err := Decode(typ, &out); err != nil || m.Bounds().Size() != image.Pt(7, 5) {
			t.Errorf("%s: %v, %v", typ, m, err)
		}
	}
	if err := Encode(new(bytes.Buffer), "tiff", nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a type without a codec: %v", err)
	}
}

// The corner that is dark in the stored image lies where a viewer
// shows it.
func TestUpright(t *testing.T) {
	t.Parallel()
	stored := image.NewGray(image.Rect(0, 0, 3, 2))
	for i := range stored.Pix {
		stored.Pix[i] = 255
	}
	stored.SetGray(0, 0, color.Gray{})
	for orientation, want := range map[int]image.Point{
		0: {0, 0}, 1: {0, 0}, 2: {2, 0}, 3: {2, 1}, 4: {0, 1}, 5: {0, 0}, 6: {1, 0}, 7: {1, 2}, 8: {0, 2}, 9: {0, 0},
	} {
		m := Upright(stored, orientation)
		if quarter := orientation >= 5 && orientation <= 8; (m.Bounds().Dx() == 2) != quarter {
			t.Errorf("orientation %d: size %v", orientation, m.Bounds())
		}
		if r, _, _, _ := m.At(want.X, want.Y).RGBA(); r != 0 {
			t.Errorf("orientation %d: the dark corner is not at %v", orientation, want)
		}
	}
}

func TestFlatten(t *testing.T) {
	t.Parallel()
	m := image.NewNRGBA(image.Rect(5, 5, 8, 8))
	m.SetNRGBA(6, 6, color.NRGBA{200, 0, 0, 255})
	flat := Flatten(m)
	if flat.Rect != image.Rect(0, 0, 3, 3) {
		t.Errorf("bounds %v", flat.Rect)
	}
	if flat.RGBAAt(0, 0) != (color.RGBA{255, 255, 255, 255}) || flat.RGBAAt(1, 1) != (color.RGBA{200, 0, 0, 255}) {
		t.Errorf("pixels %v, %v", flat.RGBAAt(0, 0), flat.RGBAAt(1, 1))
	}
}
