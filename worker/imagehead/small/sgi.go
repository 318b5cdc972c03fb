package small

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// SGI is the format of Silicon Graphics images (The SGI Image File
// Format, version 1.00).
var SGI = head.Format{
	Type:       "sgi",
	Extensions: []string{".sgi", ".rgb", ".rgba", ".bw"},
	FirstRead:  4 << 10,
	Matches:    head.Signature(0, "\x01\xda"),
	Read:       readSGI,
}

func readSGI(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, "sgi", 12)
	if err != nil {
		return head.Head{}, err
	}
	width, height := shorts(be.Uint16(b[6:]), be.Uint16(b[8:]))
	bytes, dimensions, channels := b[3], be.Uint16(b[4:]), be.Uint16(b[10:])
	l := head.Layout{Bits: 8 * int(bytes), Components: int(channels)}
	h, err := head.Upright("sgi", width, height, l)
	// SgiImagePlugin.py, MODES.
	grey := (dimensions == 1 || dimensions == 2) && channels == 1
	colour := dimensions == 3 && (channels == 3 || channels == 4)
	if err == nil && (bytes != 1 && bytes != 2 || !grey && !colour) {
		h.Refusal = fmt.Sprintf("the SGI image has %d dimensions and %d channels of %d bytes",
			dimensions, channels, bytes)
	}
	return h, err
}
