package small

import (
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
	l := head.Layout{Bits: 8, Components: max(int(b[16])/8, 1), Palette: b[1] == 1}
	width, height := shorts(le.Uint16(b[12:]), le.Uint16(b[14:]))
	return head.Upright("tga", width, height, l)
}
