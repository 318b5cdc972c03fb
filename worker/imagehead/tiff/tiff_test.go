package tiff

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
)

// entry is an entry of a directory. Its value is a number, or where the
// values are.
type entry struct{ tag, kind, count, value int }

// fileOf returns a TIFF, the lowest byte first, with a directory and
// what stands behind it.
func fileOf(behind string, entries ...entry) string {
	b := binary.LittleEndian.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), uint16(len(entries)))
	for _, e := range entries {
		b = binary.LittleEndian.AppendUint16(b, uint16(e.tag))
		b = binary.LittleEndian.AppendUint16(b, uint16(e.kind))
		b = binary.LittleEndian.AppendUint32(b, uint32(e.count))
		b = binary.LittleEndian.AppendUint32(b, uint32(e.value))
	}
	return string(b) + "\x00\x00\x00\x00" + behind
}

// bigOf returns a BigTIFF, the highest byte first.
func bigOf(entries ...entry) string {
	b := []byte("MM\x00+\x00\x08\x00\x00")
	b = binary.BigEndian.AppendUint64(b, 16)
	b = binary.BigEndian.AppendUint64(b, uint64(len(entries)))
	for _, e := range entries {
		b = binary.BigEndian.AppendUint16(b, uint16(e.tag))
		b = binary.BigEndian.AppendUint16(b, uint16(e.kind))
		b = binary.BigEndian.AppendUint64(b, uint64(e.count))
		b = append(b, string(binary.BigEndian.AppendUint64(nil, uint64(e.value)))...)
	}
	return string(b)
}

// The rules are those of TIFF 6.0, section 2, and of Pillow
// (TiffImagePlugin, ImageFileDirectory_v2).
func TestRead(t *testing.T) {
	t.Parallel()
	const short, long = 3, 4
	width, height := entry{tagWidth, short, 1, 40}, entry{tagHeight, long, 1, 30}
	const behind3 = 8 + 2 + 3*12 + 4 // the offset behind three entries
	xmp := `<x tiff:Orientation="8"/>`
	for name, c := range map[string]struct {
		data          string
		width, height int // 0 if the head is broken
		orientation   int
		layout        head.Layout
	}{
		"a size":                           {fileOf("", width, height), 40, 30, 1, head.Layout{Bits: 1, Components: 1}},
		"samples":                          {fileOf("\x10\x00\x10\x00\x10\x00", width, height, entry{tagBits, short, 3, behind3}), 40, 30, 1, head.Layout{Bits: 16, Components: 1}},
		"an orientation":                   {fileOf("", width, height, entry{tagOrient, short, 1, 6}), 40, 30, 6, head.Layout{Bits: 1, Components: 1}},
		"no such orientation":              {fileOf("", width, height, entry{tagOrient, short, 1, 9}), 40, 30, 1, head.Layout{Bits: 1, Components: 1}},
		"XMP":                              {fileOf(xmp, width, height, entry{tagXMP, 1, len(xmp), behind3}), 40, 30, 8, head.Layout{Bits: 1, Components: 1}},
		"XMP that is cut off":              {fileOf(xmp, width, height, entry{tagXMP, 1, len(xmp) + 1, behind3}), 40, 30, 1, head.Layout{Bits: 1, Components: 1}},
		"the last of a tag":                {fileOf("", width, height, entry{tagWidth, short, 1, 41}), 41, 30, 1, head.Layout{Bits: 1, Components: 1}},
		"other tags and kinds":             {fileOf("", entry{1, 99, 1, 1}, width, entry{9999, long, 7, 7}, height), 40, 30, 1, head.Layout{Bits: 1, Components: 1}},
		"a directory that is cut off":      {fileOf("", width, height, width)[:8+2+24], 40, 30, 1, head.Layout{Bits: 1, Components: 1}},
		"no height":                        {fileOf("", width), 0, 0, 0, head.Layout{}},
		"a negative height":                {fileOf("", width, entry{tagHeight, 9, 1, -30}), 0, 0, 0, head.Layout{}},
		"a height of no whole number":      {fileOf("\x1e\x00\x00\x00\x01\x00\x00\x00", width, entry{tagHeight, 5, 1, 8 + 2 + 24 + 4}), 0, 0, 0, head.Layout{}},
		"a height behind the end":          {fileOf("", width, entry{tagHeight, short, 3, 9999}), 0, 0, 0, head.Layout{}},
		"more values than the object has":  {fileOf("", width, entry{tagHeight, short, math.MaxUint32, 30}), 0, 0, 0, head.Layout{}},
		"more than 2^31 pixels":            {fileOf("", width, entry{tagHeight, long, 1, 1 << 31}), 0, 0, 0, head.Layout{}},
		"no directory":                     {"II*\x00\xff\xff\xff\xff", 0, 0, 0, head.Layout{}},
		"a BigTIFF":                        {bigOf(entry{tagWidth, short, 1, 40 << 48}, entry{tagHeight, 16, 1, 30}), 40, 30, 1, head.Layout{Bits: 1, Components: 1}},
		"a BigTIFF of more than 2^31":      {bigOf(entry{tagWidth, short, 1, 40 << 48}, entry{tagHeight, 16, 1, 1 << 31}), 0, 0, 0, head.Layout{}},
		"a BigTIFF that ends in its start": {bigOf()[:15], 0, 0, 0, head.Layout{}},
		"a BigTIFF with a directory at -1": {"II+\x00\x08\x00\x00\x00" + strings.Repeat("\xff", 8) + "abcdefgh", 0, 0, 0, head.Layout{}},
		"a BigTIFF of too many entries":    {"II+\x00\x08\x00\x00\x00\x10" + strings.Repeat("\x00", 7) + strings.Repeat("\xff", 8), 0, 0, 0, head.Layout{}},
	} {
		h, err := headtest.Read(Format, c.data)
		switch {
		case (err != nil) != (c.width == 0):
			t.Errorf("%s: %+v, %v", name, h, err)
		case err == nil && (h.Width != c.width || h.Height != c.height || h.Orientation != c.orientation || h.Layout != c.layout):
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func TestRead_LargestClaims(t *testing.T) { //nolint:paralleltest // it measures allocations
	headtest.Claims(t, Format, headtest.Walk, fileOf("<x/>", entry{tagWidth, 3, 1, 40}, entry{tagXMP, 1, 4, 38}, entry{tagHeight, 4, 1, 30}),
		bigOf(entry{tagWidth, 3, 1, 40 << 48}, entry{tagHeight, 16, 1, 30}, entry{tagXMP, 1, 4, 38}))
}

func FuzzRead(f *testing.F) {
	headtest.Fuzz(f, []head.Format{Format}, fileOf("<x/>", entry{tagWidth, 3, 1, 40}, entry{tagXMP, 1, 4, 38}, entry{tagHeight, 4, 1, 30}),
		fileOf("", entry{tagWidth, 3, 1, 40}, entry{tagHeight, 9, 1, 30}, entry{tagOrient, 3, 1, 6}), bigOf(entry{tagWidth, 3, 1, 40 << 48}, entry{tagHeight, 16, 1, 30}))
}
