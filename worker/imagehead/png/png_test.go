package png

import (
	"bytes"
	"compress/zlib"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
)

const block = "II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"

// fileOf returns a PNG of 40 x 30 pixels: its mode, the chunks before
// the pixels, and those behind them.
func fileOf(mode string, before, after string) string {
	return signature + headtest.Chunk("IHDR", headtest.Uint32(40, 30), mode) + before +
		headtest.Chunk("IDAT", "pixels") + after + headtest.Chunk("IEND")
}

const rgb = "\x08\x02\x00\x00\x00"

func packed(text string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

func xmpOf(text string) string {
	return headtest.Chunk("iTXt", keyXMP+"\x00\x01\x00\x00\x00", packed(text))
}

// Each mode of PNG 3rd edition, table 12, and no other one.
func TestRead_Modes(t *testing.T) {
	t.Parallel()
	for colour, depths := range map[byte]string{0: "\x01\x02\x04\x08\x10", 2: "\x08\x10", 3: "\x01\x02\x04\x08", 4: "\x08\x10", 6: "\x08\x10", 1: "", 5: "", 7: ""} {
		for bits := range byte(20) {
			h, err := headtest.Read(Format, fileOf(string([]byte{bits, colour, 0, 0, 0}), "", ""))
			if valid := strings.IndexByte(depths, bits) >= 0; err != nil || valid != (h.Refusal == "") {
				t.Errorf("colour type %d with %d bits: %+v, %v", colour, bits, h, err)
			}
		}
	}
}

// Chunks that say how the image is turned, and those that only look so.
func TestRead_Orientation(t *testing.T) {
	t.Parallel()
	chunk := headtest.Chunk
	turned := chunk("eXIf", block)
	for name, c := range map[string]struct {
		data string
		want int
	}{
		"before the pixels":            {fileOf(rgb, turned, ""), 6},
		"behind the pixels":            {fileOf(rgb, "", turned), 6},
		"behind those of an animation": {fileOf(rgb, chunk("acTL", headtest.Uint32(1, 0)), turned), 1},
		"behind the end":               {fileOf(rgb, "", "") + turned, 1},
		"behind a chunk of no kind":    {fileOf(rgb, "", chunk("12!4")+turned), 1},
		"a text of another key":        {fileOf(rgb, chunk("tEXt", "Title\x00"+block), ""), 1},
		"text with the key of EXIF":    {fileOf(rgb, chunk("tEXt", keyEXIF+"\x00"+block), ""), 6},
		"packed text that is broken":   {fileOf(rgb, chunk("zTXt", keyRawProfile+"\x00\x00abc"), ""), 1},
		"text of an unknown packing":   {fileOf(rgb, chunk("zTXt", keyRawProfile+"\x00\x01abc"), ""), 1},
		"a key without text":           {fileOf(rgb, chunk("tEXt", keyRawProfile), ""), 1},
		"packed XMP":                   {fileOf(rgb, xmpOf(`tiff:Orientation="3"`), ""), 3},
		"the last XMP":                 {fileOf(rgb, xmpOf(`tiff:Orientation="3"`)+xmpOf(`tiff:Orientation="5"`), ""), 5},
	} {
		h, err := headtest.Read(Format, c.data)
		if err != nil || h.Orientation != c.want || h.Refusal != "" {
			t.Errorf("%s: %+v, %v; want %d", name, h, err, c.want)
		}
	}
}

// A chunk of 1 KB unpacks to 1 MiB. Pillow opens no PNG whose texts take
// more than 64 MiB, and a text of more than 1 MiB counts as none
// (PngImagePlugin, MAX_TEXT_MEMORY and MAX_TEXT_CHUNK). Longer ones
// count too, so that nothing is unpacked beyond that.
func TestRead_TextsThatUnpackToMuch(t *testing.T) {
	t.Parallel()
	turned := `tiff:Orientation="6"`
	longest := xmpOf(turned + strings.Repeat("a", maxText-len(turned)))
	longer := xmpOf(turned + strings.Repeat("a", maxText-len(turned)+1))
	for _, c := range []struct {
		text        string
		count       int
		refused     bool
		orientation int
	}{{longest, 64, false, 6}, {longest, 65, true, 6}, {longest, 2000, true, 6}, {longer, 1, false, 1}, {longer, 2000, true, 1}} {
		h, err := headtest.Read(Format, fileOf(rgb, strings.Repeat(c.text, c.count), ""))
		if err != nil || h.Width != 40 || (h.Refusal != "") != c.refused || h.Orientation != c.orientation {
			t.Errorf("%d texts: %+v, %v", c.count, h, err)
		}
	}
}

// Pillow skips a chunk before the pixels whose kind is not one, if the
// kind is in ASCII.
func TestRead_Kinds(t *testing.T) {
	t.Parallel()
	for kind, refused := range map[string]bool{"ab_1": false, "1234": false, "ab 1": false, "\x00\x00\x00\x00": false, "abc\xe9": true} {
		h, err := headtest.Read(Format, fileOf(rgb, headtest.Chunk(kind), ""))
		if err != nil || h.Width != 40 || (h.Refusal != "") != refused {
			t.Errorf("%q: %+v, %v", kind, h, err)
		}
	}
}

func TestRead_TooManyChunks(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(headtest.Chunk("abCD"), maxChunks+1)
	if h, err := headtest.Read(Format, fileOf(rgb, many, "")); err == nil {
		t.Errorf("before the pixels: %+v", h)
	}
	small := signature + headtest.Chunk("IHDR", headtest.Uint32(40, 30), rgb) + headtest.Chunk("gAMA", "abcd") + headtest.Chunk("IDAT", strings.Repeat("x", 5000))
	if h, err := headtest.Read(Format, small+many); err != nil || h.Width != 40 {
		t.Errorf("behind the pixels: %+v, %v", h, err)
	}
}

func TestRead_LargestClaims(t *testing.T) { //nolint:paralleltest // it measures allocations
	headtest.Claims(t, Format, headtest.Walk, fileOf(rgb, headtest.Chunk("eXIf", block)+xmpOf("x"), headtest.Chunk("eXIf", block)),
		fileOf(rgb, headtest.Chunk("tEXt", keyRawProfile+"\x00\nexif\n4\n49492a00\n")+headtest.Chunk("gAMA", "\x00\x00\xb1\x8f"), ""))
}

func FuzzRead(f *testing.F) {
	profile := "\nexif\n      26\n49492a00080000000100120103000100000006000000\n"
	headtest.Fuzz(f, []head.Format{Format}, fileOf(rgb, headtest.Chunk("eXIf", block)+xmpOf("x"), headtest.Chunk("eXIf", block)),
		fileOf(rgb, headtest.Chunk("zTXt", keyRawProfile+"\x00\x00", packed(profile)), headtest.Chunk("tEXt", keyEXIF+"\x00"+block)),
		fileOf(rgb, headtest.Chunk("gAMA", "\x00\x00\xb1\x8f")+headtest.Chunk("acTL", headtest.Uint32(1, 0)), ""))
}
