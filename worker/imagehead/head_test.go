package imagehead

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"slices"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

func TestRead_Sizes(t *testing.T) {
	t.Parallel()
	filler := segmentOf(0xe2, make([]byte, 300))
	for name, c := range map[string]struct {
		data          []byte
		width, height int
	}{
		"a bare JPEG":                         {jpegOf(640, 480), 640, 480},
		"one pixel":                           {jpegOf(1, 1), 1, 1},
		"the largest JPEG":                    {jpegOf(65535, 65535), 65535, 65535},
		"a JPEG with other segments before":   {jpegOf(640, 480, filler, filler), 640, 480},
		"fill bytes before a marker":          {jpegOf(640, 480, []byte{0xff, 0xff, 0xff}), 640, 480},
		"junk between segments, as Pillow":    {jpegOf(640, 480, filler, []byte{1, 2, 3}), 640, 480},
		"an empty segment":                    {jpegOf(640, 480, segmentOf(0xe3, nil)), 640, 480},
		"a PNG":                               {pngOf(640, 480), 640, 480},
		"the largest PNG":                     {pngOf(1<<31-1, 1<<31-1), 1<<31 - 1, 1<<31 - 1},
		"a PNG that ends after its header":    {pngOf(640, 480)[:33], 640, 480},
		"a PNG with a chunk of absurd length": {append(pngOf(640, 480)[:33], 0xff, 0xff, 0xff, 0xff, 't', 'E', 'X', 't'), 640, 480},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := parse(c.data)
			if err != nil || h.Width != c.width || h.Height != c.height || h.Orientation != 1 {
				t.Errorf("got %+v, %v; want %d x %d upright", h, err, c.width, c.height)
			}
		})
	}
}

func TestRead_AgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	img := image.NewRGBA(image.Rect(0, 0, 37, 21))
	var asJPEG, asPNG bytes.Buffer
	if err := errors.Join(jpeg.Encode(&asJPEG, img, nil), png.Encode(&asPNG, img)); err != nil {
		t.Fatal(err)
	}
	layouts := map[head.Type]head.Layout{
		JPEG: {Components: 3, Bits: 8, Sampling: [4]head.Sampling{{H: 2, V: 2}, {H: 1, V: 1}, {H: 1, V: 1}}},
		PNG:  {Components: 4, Bits: 8, Transparent: true},
	}
	for typ, data := range map[head.Type][]byte{JPEG: asJPEG.Bytes(), PNG: asPNG.Bytes()} {
		if h, err := parse(data); err != nil || h != (head.Head{Type: typ, Width: 37, Height: 21, Orientation: 1, Layout: layouts[typ]}) {
			t.Errorf("%s: got %+v, %v", typ, h, err)
		}
	}
}

func TestRead_Orientation(t *testing.T) {
	t.Parallel()
	for o := range 11 {
		want := o
		if o < 1 || o > 8 {
			want = 1 // there is no such orientation
		}
		for name, data := range map[string][]byte{
			"JPEG, little endian": jpegOf(4000, 3000, exifOf(binary.LittleEndian, o)),
			"JPEG, big endian":    jpegOf(4000, 3000, exifOf(binary.BigEndian, o)),
			"PNG before IDAT":     pngOf(4000, 3000, chunkOf("eXIf", tiffOf(binary.BigEndian, o))),
		} {
			h, err := parse(data)
			if err != nil || h.Orientation != want || h.Width != 4000 || h.Height != 3000 {
				t.Errorf("%s, orientation %d: got %+v, %v", name, o, h, err)
			}
			w, ht := h.Display()
			if turned := want > 4; turned != (w == 3000 && ht == 4000) || !turned && (w != 4000 || ht != 3000) {
				t.Errorf("%s, orientation %d: displayed as %d x %d", name, o, w, ht)
			}
		}
	}
}

func TestRead_OrientationThatCounts(t *testing.T) {
	t.Parallel()
	le := binary.LittleEndian
	for name, c := range map[string]struct {
		segments [][]byte
		want     int
	}{
		"XMP as an attribute":               {[][]byte{xmpOf(`<x tiff:Orientation="6"/>`)}, 6},
		"XMP as an element":                 {[][]byte{xmpOf(`<tiff:Orientation>8</tiff:Orientation>`)}, 8},
		"XMP with another first":            {[][]byte{xmpOf(`tiff:Orientation x tiff:Orientation="3"`)}, 3},
		"XMP without":                       {[][]byte{xmpOf(`<x/>`)}, 1},
		"XMP of nonsense":                   {[][]byte{xmpOf(`tiff:Orientation="9"`)}, 1},
		"XMP that stops":                    {[][]byte{xmpOf(`tiff:Orientation="`)}, 1},
		"EXIF beats XMP":                    {[][]byte{xmpOf(`tiff:Orientation="6"`), exifOf(le, 3)}, 3},
		"EXIF beats XMP with nonsense":      {[][]byte{xmpOf(`tiff:Orientation="6"`), exifOf(le, 0)}, 1},
		"the first EXIF beats the second":   {[][]byte{exifOf(le, 5), exifOf(le, 6)}, 5},
		"EXIF without a directory":          {[][]byte{segmentOf(0xe1, []byte(exifMagic+"II*\x00\xff\xff\xff\xff"))}, 1},
		"EXIF without anything":             {[][]byte{segmentOf(0xe1, []byte(exifMagic))}, 1},
		"EXIF with another byte order mark": {[][]byte{segmentOf(0xe1, []byte(exifMagic+"XX*\x00\x08\x00\x00\x00"))}, 1},
		"EXIF with a count that lies":       {[][]byte{segmentOf(0xe1, []byte(exifMagic+"II*\x00\x08\x00\x00\x00\xff\xff"))}, 1},
		"an APP1 of something else":         {[][]byte{segmentOf(0xe1, []byte("Exi"))}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if h, err := parse(jpegOf(10, 10, c.segments...)); err != nil || h.Orientation != c.want {
				t.Errorf("got %+v, %v; want orientation %d", h, err, c.want)
			}
		})
	}
}

func TestRead_Refuses(t *testing.T) {
	t.Parallel()
	badSum := pngOf(640, 480)
	badSum[20] ^= 1
	for name, c := range map[string]struct {
		data []byte
		code string
	}{
		"nothing":                       {nil, head.CodeEmpty},
		"HTML":                          {[]byte("<!DOCTYPE html><html>"), head.CodeCorrupt},
		"one byte":                      {[]byte("x"), head.CodeCorrupt},
		"a PSD":                         {[]byte("8BPS\x00\x01\x00\x00"), head.CodeCorrupt},
		"a HEIC":                        {[]byte("\x00\x00\x00\x18ftypheic\x00\x00"), head.CodeCorrupt},
		"JPEG, only its mark":           {[]byte{0xff, 0xd8, 0xff}, head.CodeCorrupt},
		"JPEG, cut in a segment":        {jpegOf(1, 1, segmentOf(0xe2, make([]byte, 99)))[:50], head.CodeCorrupt},
		"JPEG, cut in the frame header": {jpegOf(1, 1)[:8], head.CodeCorrupt},
		"JPEG, data without a frame":    {[]byte{0xff, 0xd8, 0xff, 0xda, 0, 2}, head.CodeCorrupt},
		"JPEG, ended without a frame":   {[]byte{0xff, 0xd8, 0xff, 0xd9}, head.CodeCorrupt},
		"JPEG, segment of length 1":     {[]byte{0xff, 0xd8, 0xff, 0xe0, 0, 1, 0}, head.CodeCorrupt},
		"JPEG, frame header too short":  {append([]byte{0xff, 0xd8}, append(segmentOf(0xc0, []byte{8, 0, 1}), 0, 1, 1, 1, 1)...), head.CodeCorrupt},
		"JPEG, no width":                {jpegOf(0, 480), head.CodeCorrupt},
		"JPEG, no height":               {jpegOf(640, 0), head.CodeCorrupt},
		"PNG, cut":                      {pngOf(1, 1)[:33-1], head.CodeCorrupt},
		"PNG, no width":                 {pngOf(0, 1), head.CodeCorrupt},
		"PNG, too wide":                 {pngOf(1<<31, 1), head.CodeCorrupt},
		"PNG, checksum":                 {badSum, head.CodeCorrupt},
		"PNG, another chunk first":      {append([]byte("\x89PNG\r\n\x1a\n"), chunkOf("CgBI", make([]byte, 13))...), head.CodeCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(c.data)
			var e *head.Error
			if !errors.As(err, &e) || e.Code != c.code || e.ObjectCode() != c.code || e.Error() == "" {
				t.Errorf("got %v, want code %s", err, c.code)
			}
		})
	}
}

// The cost of an image is its requests: how many, and for which
// bytes.
func TestRead_Requests(t *testing.T) {
	t.Parallel()
	big := func(n int) []byte { return segmentOf(0xe2, make([]byte, n-4)) }
	body := make([]byte, 300<<10)
	for name, c := range map[string]struct {
		data []byte
		want []string
	}{
		"a small JPEG: all of it at once":   {jpegOf(1, 1), []string{"0+25"}},
		"a JPEG with its head in front":     {append(jpegOf(1, 1), body...), []string{"0+16384"}},
		"a preview before the size: a jump": {append(jpegOf(1, 1, big(60<<10)), body...), []string{"0+16384", "61442+4096"}},
		"more of them: larger pieces": {
			append(jpegOf(1, 1, big(40<<10), big(40<<10), big(40<<10), big(40<<10)), body...),
			[]string{"0+16384", "40962+4096", "81922+16384", "122882+65536"},
		},
		"a PNG":                         {append(pngOf(1, 1), body...), []string{"0+16384"}},
		"a PNG with text before pixels": {append(pngOf(1, 1, chunkOf("tEXt", make([]byte, 20<<10))), body...), []string{"0+16384", "20525+4096"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			_, err := Read(func(off, n int64) ([]byte, error) {
				asked = append(asked, fmt.Sprintf("%d+%d", off, n))
				return c.data[off : off+n], nil
			}, int64(len(c.data)), 16<<10)
			if err != nil || !slices.Equal(asked, c.want) {
				t.Errorf("asked for %v, %v; want %v", asked, err, c.want)
			}
		})
	}
}

func TestRead_SameHeadWithAnyFirstRead(t *testing.T) {
	t.Parallel()
	data := jpegOf(4000, 3000, xmpOf("x"), exifOf(binary.BigEndian, 6), segmentOf(0xe2, make([]byte, 5000)))
	for first := range int64(200) {
		h, err := Read(func(off, n int64) ([]byte, error) { return data[off : off+n], nil }, int64(len(data)), first)
		if err != nil || h.Width != 4000 || h.Height != 3000 || h.Orientation != 6 {
			t.Fatalf("first read of %d: %+v, %v", first, h, err)
		}
	}
}

func TestRead_ReturnsTheErrorsOfFetch(t *testing.T) {
	t.Parallel()
	broken := errors.New("the connection is broken")
	data := append(jpegOf(1, 1, segmentOf(0xe1, append([]byte(exifMagic), make([]byte, 30000)...))), make([]byte, 30000)...)
	other := append(pngOf(1, 1, chunkOf("tEXt", make([]byte, 30000))), make([]byte, 30000)...)
	for _, data := range [][]byte{data, other} {
		for fail := range 2 {
			reads := 0
			_, err := Read(func(off, n int64) ([]byte, error) {
				if reads++; reads > fail {
					return nil, broken
				}
				return data[off : off+n], nil
			}, int64(len(data)), 4<<10)
			if !errors.Is(err, broken) {
				t.Errorf("failing after %d reads: %v", fail, err)
			}
		}
	}
}

func TestRead_ObjectShorterThanListed(t *testing.T) {
	t.Parallel()
	for _, data := range [][]byte{jpegOf(1, 1)[:10], jpegOf(1, 1)[:11], pngOf(1, 1)[:30]} {
		end := int64(len(data))
		_, err := Read(func(off, n int64) ([]byte, error) {
			return data[min(off, end):min(off+n, end)], nil
		}, 1000, 16)
		var e *head.Error
		if !errors.As(err, &e) || e.Code != head.CodeCorrupt {
			t.Errorf("%d bytes: got %v", end, err)
		}
	}
}

func TestRead_LimitsAMaliciousHeader(t *testing.T) {
	t.Parallel()
	reads, cost := 0, int64(0)
	piece := make([]byte, 64<<10)
	_, err := Read(func(off, n int64) ([]byte, error) {
		reads++
		cost += n
		if off == 0 {
			copy(piece, "\xff\xd8\xff\xe0\xff\xff")
		}
		return piece[:n], nil
	}, 1<<40, 4<<10)
	var e *head.Error
	if !errors.As(err, &e) || e.Code != head.CodeCorrupt || reads > 512 || cost > 32<<20 {
		t.Errorf("%d reads of %d bytes, %v", reads, cost, err)
	}
}
