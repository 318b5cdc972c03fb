package small

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Sun is the format of Sun raster files (rasterfile.h of SunOS).
var Sun = head.Format{
	Type:       "sun",
	Extensions: []string{".ras"},
	FirstRead:  4 << 10,
	Matches:    head.Signature(0, "\x59\xa6\x6a\x95"),
	Read:       readSun,
}

func readSun(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, "sun", 32)
	if err != nil {
		return head.Head{}, err
	}
	width, height := pair(be.Uint32(b[4:]), be.Uint32(b[8:]))
	depth, kind := be.Uint32(b[12:]), be.Uint32(b[20:])
	paletteKind, palette := be.Uint32(b[24:]), be.Uint32(b[28:])
	h, err := head.Upright("sun", width, height, head.Layout{})
	if err != nil {
		return h, err
	}
	switch depth { // SunImagePlugin.py
	case 1, 4, 8:
		h.Layout = head.Layout{Bits: int(depth), Components: 1, Palette: palette > 0}
	case 24, 32:
		h.Layout = head.Layout{Bits: 8, Components: int(depth) / 8}
	default:
		h.Refusal = fmt.Sprintf("the Sun raster file has pixels of %d bits", depth)
	}
	if kind > 5 {
		h.Refusal = fmt.Sprintf("the Sun raster file is of kind %d", kind)
	}
	isIndex := depth == 4 || depth == 8
	if palette > 1024 || palette > 0 && (paletteKind != 1 || !isIndex) {
		h.Refusal = fmt.Sprintf("the Sun raster file has %d bytes of colours of kind %d",
			palette, paletteKind)
	}
	return h, nil
}
