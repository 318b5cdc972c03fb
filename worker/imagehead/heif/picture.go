package heif

import (
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/isobmff"
)

// picture is what the properties so far make of an item.
type picture struct {
	width, height int64 // before all turns
	layout        head.Layout
	turns         int  // quarter turns, counter-clockwise, after the mirror
	mirrored      bool // left and right are exchanged first
}

// apply adds one property (ISO/IEC 23008-12, 6.5). Others say nothing
// about the size.
func (f file) apply(box isobmff.Box, p *picture) error {
	r := reader{source: f.source, pos: box.Off, end: box.End()}
	switch box.Type {
	case "ispe":
		r.uint(4)
		p.width, p.height = int64(r.uint(4)), int64(r.uint(4))
	case "pixi":
		r.uint(4)
		p.layout.Components, p.layout.Bits = int(r.uint(1)), int(r.uint(1))
	case "irot":
		p.turns += int(r.uint(1) & 3)
	case "imir":
		p.mirror(r.uint(1)&1 == 1)
	case "clap":
		if f.is == HEICType { // libavif, and so Pillow, does not cut
			p.cut(&r)
		}
	}
	return r.err
}

// mirror exchanges left and right, or else top and bottom. As a
// mirror comes before the turns in a picture, turns the other way
// round follow.
func (p *picture) mirror(leftAndRight bool) {
	p.mirrored, p.turns = !p.mirrored, -p.turns
	if !leftAndRight {
		p.turns += 2
	}
}

// cut reads the width and the height of a clean aperture, which are
// fractions. The area is that before all turns here: files with a turn
// before the cut are not known.
func (p *picture) cut(r *reader) {
	side := func(now int64) int64 {
		n, d := int64(r.uint(4)), int64(r.uint(4))
		if d == 0 || n/d < 1 || n/d > now {
			return now
		}
		return (n + d/2) / d
	}
	p.width, p.height = side(p.width), side(p.height)
}

// orientation returns EXIF's orientation of the same turns.
func (p *picture) orientation() int {
	turns := p.turns & 3
	if p.mirrored {
		return [...]int{2, 5, 4, 7}[turns]
	}
	return [...]int{1, 8, 3, 6}[turns]
}
