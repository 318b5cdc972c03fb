package jpegxl

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
)

// bitWriter writes bits, the lowest of a byte first.
type bitWriter struct {
	data []byte
	pos  int
}

func (w *bitWriter) put(value, bits int) *bitWriter {
	for i := range bits {
		if w.pos&7 == 0 {
			w.data = append(w.data, 0)
		}
		w.data[w.pos>>3] |= byte(value >> i & 1 << (w.pos & 7))
		w.pos++
	}
	return w
}

// bare returns a codestream of bits: pairs of a value and how many bits
// it takes.
func bare(pairs ...int) string {
	var w bitWriter
	for i := 0; i < len(pairs); i += 2 {
		w.put(pairs[i], pairs[i+1])
	}
	return codestream + string(w.put(0, 8).data)
}

// The rules are those of ISO/IEC 18181-1, annex D.
func TestRead(t *testing.T) {
	t.Parallel()
	box := headtest.Box
	small := bare(1, 1, 1, 5, 1, 3, 1, 1) // 16 x 16, all default
	for name, c := range map[string]struct {
		data          string
		width, height int // 0 if the head is broken
		orientation   int
	}{
		"multiples of 8":                     {bare(1, 1, 2, 5, 0, 3, 4, 5, 1, 1), 40, 24, 1},
		"a ratio":                            {bare(1, 1, 2, 5, 5, 3, 1, 1), 42, 24, 1},
		"9 bits and 13":                      {bare(0, 1, 0, 2, 499, 9, 0, 3, 1, 2, 7999, 13, 1, 1), 8000, 500, 1},
		"18 bits and 30":                     {bare(0, 1, 2, 2, 1<<18-1, 18, 0, 3, 3, 2, 1<<30-1, 30, 1, 1), 1 << 30, 1 << 18, 1},
		"a ratio of the largest height":      {bare(0, 1, 3, 2, 1<<30-1, 30, 7, 3, 1, 1), 0, 0, 0}, // 2^31 wide
		"an orientation":                     {bare(1, 1, 1, 5, 1, 3, 0, 1, 1, 1, 5, 3), 16, 16, 6},
		"no extra fields":                    {bare(1, 1, 1, 5, 1, 3, 0, 1, 0, 1, 5, 3), 16, 16, 1},
		"a box":                              {signature + box("ftyp", "jxl ") + box("jxlc", small), 16, 16, 1},
		"parts":                              {signature + box("ftyp", "jxl ") + box("jxlp", "\x00\x00\x00\x00", small) + box("jxlp", "\x80\x00\x00\x01"), 16, 16, 1},
		"an EXIF box turns nothing":          {signature + box("Exif", "\x00\x00\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00") + box("jxlc", small), 16, 16, 1},
		"no codestream":                      {signature + box("ftyp", "jxl "), 0, 0, 0},
		"a box that ends before its numbers": {signature + box("jxlp", "\x00"), 0, 0, 0},
		"no signature in the box":            {signature + box("jxlc", "abcd"), 0, 0, 0},
		"cut":                                {small[:3], 0, 0, 0},
	} {
		h, err := headtest.Read(Format, c.data)
		if (err != nil) != (c.width == 0) || h.Width != c.width || h.Height != c.height || h.Orientation != c.orientation {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

func TestRead_LargestClaims(t *testing.T) { //nolint:paralleltest // it measures allocations
	headtest.Claims(t, Format, headtest.Walk, signature+headtest.Box("jxlc", bare(1, 1, 1, 5, 1, 3, 1, 1)), bare(0, 1, 3, 2, 1<<30-1, 30, 0, 3))
}

func FuzzRead(f *testing.F) {
	headtest.Fuzz(f, []head.Format{Format}, signature+headtest.Box("jxlp", "\x00\x00\x00\x00", bare(1, 1, 1, 5, 1, 3, 1, 1)), bare(1, 1, 1, 5, 1, 3, 0, 1, 1, 1, 5, 3))
}
