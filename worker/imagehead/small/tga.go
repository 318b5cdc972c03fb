package small

import (
	"fmt"
	"slices"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// TGA is the format of Truevision's Targa files. They have no
// signature: any content with a valid header counts, as in Pillow
// (TgaImagePlugin.py). So it must be the last format of the table.
var TGA = head.Format{
	Type:       "tga",
	Extensions: []string{".tga", ".icb", ".vda", ".vst"},
	FirstRead:  4 << 10,
	Matches:    isTGA,
	Read:       readTGA,
}

const tgaHeader = 18

func isTGA(start []byte) bool {
	if len(start) < tgaHeader {
		return false
	}
	const mirrored, topDown = 0x10, 0x20
	palette, kind, bits := start[1], start[2], start[16]
	return palette <= 1 && slices.Contains([]byte{1, 2, 3, 9, 10, 11}, kind) &&
		slices.Contains([]byte{1, 8, 16, 24, 32}, bits) &&
		le.Uint16(start[12:]) > 0 && le.Uint16(start[14:]) > 0 &&
		(palette == 0 || slices.Contains([]byte{16, 24, 32}, start[7])) &&
		start[17]&^(mirrored|topDown) < 16
}

func readTGA(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, "tga", tgaHeader)
	if err != nil {
		return head.Head{}, err
	}
	palette, kind, bits := b[1] == 1, b[2], b[16]
	l := head.Layout{Bits: 8, Components: max(int(bits)/8, 1), Palette: palette}
	width, height := shorts(le.Uint16(b[12:]), le.Uint16(b[14:]))
	h, err := head.Upright("tga", width, height, l)
	if !tgaIsDrawn(kind, bits, palette) {
		h.Refusal = fmt.Sprintf("the TGA of kind %d has pixels of %d bits", kind, bits)
	}
	return h, err
}

// tgaIsDrawn reports whether Pillow draws a TGA. The kind is 1 for
// colours of a palette, 2 for colours, 3 for grey, and 8 more if it is
// compressed.
func tgaIsDrawn(kind, bits byte, palette bool) bool {
	switch kind & 7 {
	case 1:
		return palette && bits == 8
	case 2:
		return !palette && bits >= 16
	}
	return bits == 8 || bits == 16 || bits == 1 && !palette
}
