package icons

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/headtest"
)

func numbers(b []byte, sizes string, values ...int) []byte {
	for i, size := range sizes {
		switch size {
		case '1':
			b = append(b, byte(values[i]))
		case '2':
			b = binary.LittleEndian.AppendUint16(b, uint16(values[i]))
		case '4':
			b = binary.LittleEndian.AppendUint32(b, uint32(values[i]))
		}
	}
	return b
}

// picture is one image of an icon: what the directory says of it, and
// its content.
type picture struct {
	width, height, colours, bits int
	content                      string
}

// iconOf returns an icon (kind 1) or a cursor (kind 2).
func iconOf(kind int, pictures ...picture) string {
	directory := numbers(nil, "222", 0, kind, len(pictures))
	var contents strings.Builder
	for _, p := range pictures {
		off := 6 + 16*len(pictures) + contents.Len()
		directory = numbers(directory, "11112244", p.width, p.height, p.colours, 0, 1, p.bits, len(p.content), off)
		contents.WriteString(p.content)
	}
	return string(directory) + contents.String()
}

// bitmapOf returns a bitmap whose height counts the mask too.
func bitmapOf(width, height int) string {
	return string(numbers(nil, "44422444444", 40, width, height*2, 1, 32, 0, 0, 0, 0, 0, 0))
}

func pngOf(width, height int) string {
	return "\x89PNG\r\n\x1a\n" + headtest.Chunk("IHDR", headtest.Uint32(width, height), "\x08\x06\x00\x00\x00")
}

func TestReadICO(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		is            head.Format
		data          string
		width, height int // 0 if the head is broken
	}{
		"a bitmap":                        {ICO, iconOf(1, picture{16, 16, 0, 32, bitmapOf(16, 16)}), 16, 16},
		"the image says more than a line": {ICO, iconOf(1, picture{0, 0, 0, 32, pngOf(512, 300)}), 512, 300},
		"0 means 256":                     {ICO, iconOf(1, picture{0, 0, 0, 32, bitmapOf(256, 256)}, picture{255, 255, 0, 32, bitmapOf(255, 255)}), 256, 256},
		"the most pixels":                 {ICO, iconOf(1, picture{16, 16, 0, 32, bitmapOf(16, 16)}, picture{48, 40, 0, 32, bitmapOf(48, 40)}), 48, 40},
		"of equal ones the fewest bits":   {ICO, iconOf(1, picture{16, 16, 0, 32, bitmapOf(16, 1)}, picture{16, 16, 0, 8, bitmapOf(16, 2)}), 16, 2},
		"bits by the number of colours":   {ICO, iconOf(1, picture{16, 16, 16, 0, bitmapOf(16, 1)}, picture{16, 16, 17, 0, bitmapOf(16, 2)}), 16, 1},
		"no images":                       {ICO, iconOf(1), 0, 0},
		"a directory that is cut off":     {ICO, iconOf(1, picture{16, 16, 0, 32, ""})[:20], 0, 0},
		"an image behind the end":         {ICO, iconOf(1, picture{16, 16, 0, 32, ""}), 0, 0},
		"no known header":                 {ICO, iconOf(1, picture{16, 16, 0, 32, strings.Repeat("x", 40)}), 0, 0},
		"a height for the mask alone":     {ICO, iconOf(1, picture{16, 16, 0, 32, bitmapOf(16, 0)}), 0, 0},
		"a cursor: larger in both ways":   {CUR, iconOf(2, picture{16, 16, 0, 0, bitmapOf(16, 16)}, picture{99, 16, 0, 0, bitmapOf(99, 16)}, picture{17, 17, 0, 0, bitmapOf(17, 17)}), 17, 17},
		"a cursor without images":         {CUR, iconOf(2), 0, 0},
	} {
		h, err := headtest.Read(c.is, c.data)
		if (err != nil) != (c.width == 0) || h.Width != c.width || h.Height != c.height {
			t.Errorf("%s: %+v, %v; want %d x %d", name, h, err, c.width, c.height)
		}
	}
}

// icnsOf returns a macOS icon with empty images of types.
func icnsOf(types ...string) string {
	var blocks strings.Builder
	for _, is := range types {
		blocks.WriteString(headtest.Box(is)[4:8] + headtest.Uint32(8))
	}
	return "icns" + headtest.Uint32(8+blocks.Len()) + blocks.String()
}

// tableOf returns an icon that has a table of contents only.
func tableOf(size int, types ...string) string {
	table := strings.Join(types, headtest.Uint32(8)) + headtest.Uint32(8)
	return "icns" + headtest.Uint32(size) + "TOC " + headtest.Uint32(8+len(table)) + table
}

func TestReadICNS(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data string
		side int // 0 if the head is broken
	}{
		"the most points":                   {icnsOf("is32", "it32", "ih32"), 128},
		"of equal points the larger scale":  {icnsOf("ic09", "ic10"), 1024},
		"points come before the scale":      {icnsOf("ic13", "ic08"), 256},
		"other blocks":                      {icnsOf("info", "icp5", "name"), 32},
		"a table of contents is enough":     {tableOf(48, "ic07", "ic08"), 256},
		"a table of another size is no use": {tableOf(49, "ic07", "ic08"), 0},
		"no images":                         {icnsOf("info"), 0},
		"nothing":                           {icnsOf(), 0},
		"too many blocks":                   {icnsOf(strings.Fields(strings.Repeat("is32 ", 101))...), 0},
		"a block of no bytes":               {icnsOf("is32")[:12] + headtest.Uint32(0), 0},
	} {
		h, err := headtest.Read(ICNS, c.data)
		if (err != nil) != (c.side == 0) || h.Width != c.side || h.Height != c.side {
			t.Errorf("%s: %+v, %v; want %d", name, h, err, c.side)
		}
	}
}

func TestRead_LargestClaims(t *testing.T) { //nolint:paralleltest // it measures allocations
	headtest.Claims(t, ICO, headtest.Walk, iconOf(1, picture{0, 0, 0, 32, pngOf(512, 300)}))
	headtest.Claims(t, CUR, headtest.Walk, iconOf(2, picture{16, 16, 0, 0, bitmapOf(16, 16)}))
	headtest.Claims(t, ICNS, headtest.Walk, icnsOf("is32", "it32"), tableOf(48, "ic07", "ic08"))
}

func FuzzRead(f *testing.F) {
	headtest.Fuzz(f, []head.Format{ICO, CUR, ICNS}, iconOf(1, picture{0, 0, 0, 32, pngOf(512, 300)}, picture{16, 16, 16, 0, bitmapOf(16, 1)}),
		iconOf(2, picture{16, 16, 0, 0, bitmapOf(16, 16)}), icnsOf("is32", "it32"), tableOf(48, "ic07", "ic08"))
}
