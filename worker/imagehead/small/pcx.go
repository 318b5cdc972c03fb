package small

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// PCX is the format of PC Paintbrush files (ZSoft, Technical Reference
// Manual).
var PCX = head.Format{
	Type:       "pcx",
	Extensions: []string{".pcx"},
	FirstRead:  4 << 10,
	Matches:    isPCX,
	Read:       readPCX,
}

func isPCX(start []byte) bool {
	if len(start) < 2 || start[0] != 10 {
		return false
	}
	version := start[1]
	return version == 0 || version == 2 || version == 3 || version == 5
}

// readPCX reads the corners of the image, and whether Pillow knows the
// mode (PcxImagePlugin.py).
func readPCX(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, "pcx", 68)
	if err != nil {
		return head.Head{}, err
	}
	left, top := shorts(le.Uint16(b[4:]), le.Uint16(b[6:]))
	right, bottom := shorts(le.Uint16(b[8:]), le.Uint16(b[10:]))
	version, bits, planes := b[1], b[3], b[65]
	l := head.Layout{Bits: int(bits), Components: int(planes)}
	h, err := head.Upright("pcx", right+1-left, bottom+1-top, l)
	if err != nil {
		return h, err
	}
	const palette = 769 // bytes at the end of a file of one plane
	switch {
	case bits == 1 && (planes == 1 || planes == 2 || planes == 4):
	case version == 5 && bits == 8 && planes == 3:
	case version == 5 && bits == 8 && planes == 1 && s.Size() >= palette:
	default:
		h.Refusal = fmt.Sprintf("the PCX of version %d has %d planes of %d bits",
			version, planes, bits)
	}
	return h, nil
}
