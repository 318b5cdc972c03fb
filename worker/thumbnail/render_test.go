package thumbnail

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

var (
	red   = color.RGBA{200, 0, 0, 255}
	green = color.RGBA{0, 200, 0, 255}
	blue  = color.RGBA{0, 0, 200, 255}
	black = color.RGBA{0, 0, 0, 255}
)

// readHead reads the head of an image in memory.
func readHead(data []byte) (head.Head, error) {
	slice := func(off, n int64) ([]byte, error) { return data[off : off+n], nil }
	return imagehead.Read(slice, int64(len(data)), int64(len(data)))
}

// quarters returns an image of four quarters: red, green, blue and
// black, in reading order.
func quarters(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i, c := range []color.Color{red, green, blue, black} {
		x, y := i%2*(w/2), i/2*(h/2)
		draw.Draw(img, image.Rect(x, y, x+w-w/2, y+h-h/2), image.NewUniform(c), image.Point{}, draw.Src)
	}
	return img
}

func asJPEG(t testing.TB, img image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func asPNG(t testing.TB, img image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// turned adds an EXIF orientation to a JPEG.
func turned(jpeg string, orientation byte) string {
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(rune(orientation)) + "\x00\x00\x00\x00\x00\x00"
	return jpeg[:2] + "\xff\xe1\x00" + string(rune(len(exif)+2)) + exif + jpeg[2:]
}

// pngHead returns a PNG that ends after its header.
func pngHead(w, h uint32) string {
	b := []byte("IHDR")
	b = binary.BigEndian.AppendUint32(b, w)
	b = binary.BigEndian.AppendUint32(b, h)
	b = append(b, 1, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return "\x89PNG\r\n\x1a\n\x00\x00\x00\x0d" + string(b)
}

func rendered(t *testing.T, data string, size int) image.Image {
	t.Helper()
	h, err := readHead([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	thumb, err := maker{size: size, quality: 95}.render(strings.NewReader(data), h)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(thumb.jpeg))
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Bounds().Size(); got != image.Pt(thumb.width, thumb.height) {
		t.Errorf("the thumbnail is %v, and says %d x %d", got, thumb.width, thumb.height)
	}
	return img
}

func near(a, b color.Color) bool {
	r1, g1, b1, _ := a.RGBA()
	r2, g2, b2, _ := b.RGBA()
	off := func(x, y uint32) bool { return max(x, y)-min(x, y) > 24<<8 }
	return !off(r1, r2) && !off(g1, g2) && !off(b1, b2)
}

// corners returns the colours in the middle of the four quarters, in
// reading order.
func corners(img image.Image) (c [4]color.Color) {
	b := img.Bounds()
	for i := range c {
		c[i] = img.At(b.Min.X+b.Dx()*(1+i%2*2)/4, b.Min.Y+b.Dy()*(1+i/2*2)/4)
	}
	return c
}

func TestRender_TurnsUpright(t *testing.T) {
	t.Parallel()
	for orientation, want := range map[byte][4]color.Color{
		1: {red, green, blue, black}, 2: {green, red, black, blue}, 3: {black, blue, green, red}, 4: {blue, black, red, green},
		5: {red, blue, green, black}, 6: {blue, red, black, green}, 7: {black, green, blue, red}, 8: {green, black, red, blue},
	} {
		img := rendered(t, turned(asJPEG(t, quarters(160, 80)), orientation), 80)
		size := image.Pt(80, 40)
		if orientation > 4 {
			size = image.Pt(40, 80)
		}
		if img.Bounds().Size() != size {
			t.Errorf("orientation %d: size %v", orientation, img.Bounds().Size())
		}
		for i, c := range corners(img) {
			if !near(c, want[i]) {
				t.Errorf("orientation %d: quarter %d is %v, want %v", orientation, i, c, want[i])
			}
		}
	}
}

func TestRender_ColourModels(t *testing.T) {
	t.Parallel()
	src := quarters(64, 64)
	in := func(dst draw.Image) draw.Image {
		draw.Draw(dst, dst.Bounds(), src, image.Point{}, draw.Src)
		return dst
	}
	r := src.Bounds()
	glass := image.NewNRGBA(r) // transparent black, so all of it becomes white
	palette := image.NewPaletted(r, color.Palette{red, green, blue, black})
	for name, c := range map[string]struct {
		data string
		want [4]color.Color
	}{
		"JPEG":            {asJPEG(t, src), [4]color.Color{red, green, blue, black}},
		"grey JPEG":       {asJPEG(t, in(image.NewGray(r))), [4]color.Color{color.Gray{60}, color.Gray{117}, color.Gray{23}, black}},
		"PNG":             {asPNG(t, src), [4]color.Color{red, green, blue, black}},
		"16-bit PNG":      {asPNG(t, in(image.NewNRGBA64(r))), [4]color.Color{red, green, blue, black}},
		"16-bit grey PNG": {asPNG(t, in(image.NewGray16(r))), [4]color.Color{color.Gray{60}, color.Gray{117}, color.Gray{23}, black}},
		"palette PNG":     {asPNG(t, in(palette)), [4]color.Color{red, green, blue, black}},
		"transparent PNG": {asPNG(t, glass), [4]color.Color{color.White, color.White, color.White, color.White}},
		"one pixel":       {asPNG(t, quarters(1, 1)), [4]color.Color{black, black, black, black}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, got := range corners(rendered(t, c.data, 32)) {
				if !near(got, c.want[i]) {
					t.Errorf("quarter %d is %v, want %v", i, got, c.want[i])
				}
			}
		})
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	for _, c := range [][5]int{
		{640, 480, 256, 256, 192}, {480, 640, 256, 192, 256}, {256, 256, 256, 256, 256}, {10, 5, 256, 10, 5}, {257, 1, 256, 256, 1},
		{100_000, 1, 256, 256, 1}, {1, 65_535, 16, 1, 16}, {1000, 333, 100, 100, 33}, {1000, 335, 100, 100, 34},
	} {
		if w, h := fit(c[0], c[1], c[2]); w != c[3] || h != c[4] {
			t.Errorf("fit(%d, %d, %d) = %d, %d, want %d, %d", c[0], c[1], c[2], w, h, c[3], c[4])
		}
	}
}

func TestRender_NoMetadata(t *testing.T) {
	t.Parallel()
	data := []byte(turned(asJPEG(t, quarters(64, 64)), 3))
	h, _ := readHead(data)
	a, err := maker{size: 32, quality: 80}.render(bytes.NewReader(data), h)
	b, _ := maker{size: 32, quality: 80}.render(bytes.NewReader(data), h)
	if err != nil || bytes.Contains(a.jpeg, []byte("Exif")) || !bytes.Equal(a.jpeg, b.jpeg) {
		t.Errorf("metadata, or two different results: %v", err)
	}
}

func TestRender_Refuses(t *testing.T) {
	t.Parallel()
	whole := asJPEG(t, quarters(64, 64))
	arithmetic := bytes.Replace([]byte(whole), []byte{0xff, 0xc0}, []byte{0xff, 0xc9}, 1)
	for name, c := range map[string]struct {
		data string
		code string
	}{
		"cut":               {whole[:len(whole)/2], head.CodeCorrupt},
		"a PNG of a header": {pngHead(8, 8), head.CodeCorrupt},
		"arithmetic coding": {string(arithmetic), head.CodeUnsupported},
	} {
		h, err := readHead([]byte(c.data))
		if err != nil {
			t.Fatal(err)
		}
		_, err = maker{size: 32, quality: 80}.render(strings.NewReader(c.data), h)
		var e *head.Error
		if !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := maker{size: 32, quality: 80}.render(strings.NewReader(whole), head.Head{Type: imagehead.JPEG, Width: 9, Height: 9})
	if !errors.As(err, new(*head.Error)) {
		t.Errorf("a header that lies: %v", err)
	}
}

// A decoder's panic makes one image fail, not the worker.
func TestRender_SurvivesAPanic(t *testing.T) {
	t.Parallel()
	whole := []byte(asPNG(t, quarters(64, 64)))
	h, _ := readHead(whole)
	_, err := maker{size: 32, quality: 80, decode: func(head.Type, io.Reader) (image.Image, error) { panic("boom") }}.render(bytes.NewReader(whole), h)
	var e *head.Error
	if !errors.As(err, &e) || e.Code != head.CodeCorrupt {
		t.Errorf("got %v", err)
	}
}
