package icons

import (
	"slices"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// bitmap reads the size of the bitmap of an icon, whose header stands
// at an offset. The height in the header counts a mask of equal size
// too (Microsoft, "Icons", ICONIMAGE).
func bitmap(s *head.Source, t head.Type, off int64) (head.Head, error) {
	b, err := s.At(off, 16)
	if err != nil {
		return head.Head{}, head.Cut(t, err)
	}
	size := le.Uint32(b)
	var width, height int64
	var bits int
	switch {
	case size == 12:
		width, height = int64(le.Uint16(b[4:])), int64(le.Uint16(b[6:]))
		bits = int(le.Uint16(b[10:]))
	case slices.Contains([]uint32{40, 52, 56, 64, 108, 124}, size):
		width, height = int64(le.Uint32(b[4:])), int64(le.Uint32(b[8:]))
		if b[11] == 0xff { // rows from the top: the height is negative
			height = 1<<32 - height
		}
		bits = int(le.Uint16(b[14:]))
	default:
		return head.Head{}, head.Corrupt(t, "the %s's bitmap has a header of %d bytes", t, size)
	}
	return head.Upright(t, width, height/2, head.Layout{Bits: bits, Palette: bits <= 8})
}
