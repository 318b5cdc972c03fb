package jpeg2000

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
)

// sizOf returns the start of a codestream: the grid, where the image
// begins in it, the tiles, and components of 8 bits.
func sizOf(width, height, left, top, components int) string {
	return codestream + "\x00\x2f\x00\x00" + headtest.Uint32(width, height, left, top, 8, 8, 0, 0) +
		string([]byte{byte(components >> 8), byte(components), 7, 1, 1})
}

func jp2Of(header string) string {
	return signature + headtest.Box("ftyp", "jp2 ") + headtest.Box("jp2h", header) + headtest.Box("jp2c")
}

func headerOf(width, height int, rest string) string {
	return headtest.Box("ihdr", headtest.Uint32(height, width), rest)
}

// The rules are those of ISO/IEC 15444-1, A.5.1 and I.5.3, and of
// Pillow's reader.
func TestRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data          string
		width, height int // 0 if the head is broken
		layout        head.Layout
		refused       bool
	}{
		"a codestream":                     {sizOf(40, 30, 0, 0, 3), 40, 30, head.Layout{Components: 3, Bits: 8}, false},
		"a part of the grid":               {sizOf(40, 30, 10, 25, 1), 30, 5, head.Layout{Components: 1, Bits: 8}, false},
		"a part outside of the grid":       {sizOf(40, 30, 40, 0, 1), 0, 0, head.Layout{}, false},
		"a marker that is too short":       {codestream + "\x00\x25" + string(make([]byte, 40)), 0, 0, head.Layout{}, false},
		"a codestream that is cut":         {sizOf(40, 30, 0, 0, 3)[:42], 0, 0, head.Layout{}, false},
		"five components":                  {sizOf(40, 30, 0, 0, 5), 40, 30, head.Layout{Components: 5, Bits: 8}, true},
		"a file":                           {jp2Of(headerOf(40, 30, "\x00\x04\x0f\x07\x00\x00")), 40, 30, head.Layout{Components: 4, Bits: 16, Transparent: true}, false},
		"samples with a sign":              {jp2Of(headerOf(40, 30, "\x00\x01\x8b\x07\x00\x00")), 40, 30, head.Layout{Components: 1, Bits: 12}, false},
		"other boxes before the header":    {jp2Of(headtest.Box("res ") + headerOf(40, 30, "\x00\x03\x07\x07\x00\x00")), 40, 30, head.Layout{Components: 3, Bits: 8}, false},
		"no components":                    {jp2Of(headerOf(40, 30, "\x00\x00\x07\x07\x00\x00")), 40, 30, head.Layout{Bits: 8}, true},
		"a header box that is too short":   {jp2Of(headerOf(40, 30, "\x00\x03") + string(make([]byte, 8))), 0, 0, head.Layout{}, false},
		"no header box":                    {jp2Of(""), 0, 0, head.Layout{}, false},
		"a width of more than 2^31 pixels": {jp2Of(headerOf(1<<31, 30, "\x00\x03\x07\x07\x00\x00")), 0, 0, head.Layout{}, false},
	} {
		h, err := headtest.Read(Format, c.data)
		switch {
		case (err != nil) != (c.width == 0):
			t.Errorf("%s: %+v, %v", name, h, err)
		case err == nil && (h.Width != c.width || h.Height != c.height || h.Layout != c.layout || (h.Refusal != "") != c.refused):
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func TestRead_LargestClaims(t *testing.T) { //nolint:paralleltest // it measures allocations
	headtest.Claims(t, Format, headtest.Walk, sizOf(40, 30, 0, 0, 3), jp2Of(headerOf(40, 30, "\x00\x03\x07\x07\x00\x00")))
}

func FuzzRead(f *testing.F) {
	headtest.Fuzz(f, []head.Format{Format}, sizOf(40, 30, 10, 25, 1), jp2Of(headtest.Box("res ")+headerOf(40, 30, "\x00\x03\x07\x07\x00\x00")))
}
