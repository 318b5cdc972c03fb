package imagehead

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"testing"
)

// A PNG says in many ways how it is turned. Pillow knows all of these.
func TestRead_TurnedPNG(t *testing.T) {
	t.Parallel()
	exif, upright := tiffOf(binary.LittleEndian, 6), tiffOf(binary.LittleEndian, 1)
	profile := fmt.Appendf(nil, "\nexif\n%8d\n%x\n", len(exif), exif)
	xmp := []byte(`<x tiff:Orientation="6"/>`)
	text := func(kind, key, between string, content []byte) []byte {
		return chunkOf(kind, append([]byte(key+"\x00"+between), content...))
	}
	gamma := chunkOf("gAMA", []byte{0, 0, 0xb1, 0x8f})
	for name, c := range map[string]struct {
		chunks []byte
		want   int
	}{
		"nothing":            {nil, 1},
		"eXIf":               {chunkOf("eXIf", exif), 6},
		"eXIf with a prefix": {chunkOf("eXIf", append([]byte(exifMagic), exif...)), 6},
		"the last eXIf":      {append(chunkOf("eXIf", upright), chunkOf("eXIf", exif)...), 6},
		"eXIf before XMP":    {append(chunkOf("eXIf", upright), text("iTXt", "XML:com.adobe.xmp", "\x00\x00\x00\x00", xmp)...), 1},
		"profile":            {text("tEXt", "Raw profile type exif", "", profile), 6},
		"packed profile":     {text("zTXt", "Raw profile type exif", "\x00", packed(profile)), 6},
		"XMP":                {text("iTXt", "XML:com.adobe.xmp", "\x00\x00\x00\x00", xmp), 6},
		"packed XMP":         {text("iTXt", "XML:com.adobe.xmp", "\x01\x00\x00\x00", packed(xmp)), 6},
		"a broken profile":   {text("tEXt", "Raw profile type exif", "", []byte("\nexif\n2\nxyz")), 1},
		"a cut iTXt":         {text("iTXt", "XML:com.adobe.xmp", "\x00", nil), 1},
	} {
		end := chunkOf("IEND", nil)
		pixels := chunkOf("IDAT", make([]byte, 8000))
		for place, data := range map[string][]byte{
			"before": append(pngOf(40, 30, c.chunks), end...),
			"after":  bytes.Join([][]byte{pngOf(40, 30, gamma)[:33+16], pixels, pixels, pixels[:0], chunkOf("IDAT", make([]byte, 9)), c.chunks, end}, nil),
			"small":  append(append(pngOf(40, 30), c.chunks...), end...),
		} {
			for _, first := range []int64{64, 4096} {
				h, err := Read(func(off, n int64) ([]byte, error) { return data[off : off+n], nil }, int64(len(data)), first)
				if err != nil || h.Orientation != c.want || h.Refusal != "" {
					t.Errorf("%s %s the pixels, first read %d: %+v, %v; want %d", name, place, first, h, err, c.want)
				}
			}
		}
	}
}

func packed(text []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(text)
	_ = w.Close()
	return b.Bytes()
}

// What CVAT cannot open has a size all the same, and a reason.
func TestRead_Refusals(t *testing.T) {
	t.Parallel()
	changed := func(data []byte, at int, to byte) []byte {
		data[at] = to
		return data
	}
	for name, data := range map[string][]byte{
		"12 bits":        changed(jpegOf(40, 30), 6, 12),
		"two components": changed(jpegOf(40, 30), 11, 2),
		"JPEG cut":       jpegOf(40, 30)[:15],
		"PNG mode":       append(pngFrom(40, 30, []byte{3, 0, 0, 0, 0}), chunkOf("IEND", nil)...),
		"PNG filter":     append(pngFrom(40, 30, []byte{8, 0, 0, 1, 0}), chunkOf("IEND", nil)...),
		"PNG cut":        pngOf(40, 30)[:33],
		"too many":       pngOf(20000, 10000),
		"BMP packed": []byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x28\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x18\x00\x04\x00\x00\x00" +
			"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
	} {
		if h, err := parse(data); err != nil || h.Width == 0 || h.Refusal == "" {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

// A header may claim any size: it costs no memory, and few requests.
func TestRead_Claims(t *testing.T) {
	t.Parallel()
	rest := make([]byte, 1<<20)
	for i := range rest {
		rest[i] = 0xff
	}
	for _, start := range []string{
		"\xff\xd8\xff\xe1\xff\xffExif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
		"GIF89a", "BM", "RIFF\xff\xff\xff\xffWEBPVP8X\xff\xff\xff\xff", "II*\x00\x08\x00\x00\x00\xff\xff",
		"II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\x7f",
		"II*\x00\x08\x00\x00\x00\x01\x00\xbc\x02\x01\x00\xff\xff\xff\xff",
	} {
		data := append([]byte(start), rest...)
		reads, most := 0, int64(0)
		_, _ = Read(func(off, n int64) ([]byte, error) {
			reads, most = reads+1, max(most, n)
			return data[off : off+n], nil
		}, int64(len(data)), 4096)
		if reads > 512 || most > 1<<20 {
			t.Errorf("%q: %d reads of at most %d bytes", start, reads, most)
		}
	}
}
