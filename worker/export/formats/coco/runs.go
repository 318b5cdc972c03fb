package coco

import (
	"context"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// region is the part of a mask inside its image.
type region struct {
	edges         edges
	width, height int   // of the image
	area          int64 // pixels that are on
	left, top     int   // of the box around them
	right         int   // of that box, exclusive
	bottom        int   // of that box, exclusive
}

// newRegion cuts a mask to an image of fewer than 1<<32 pixels. Its
// errors are those of newEdges.
func newRegion(ctx context.Context, m *annotation.Mask, width, height int) (region, error) {
	e, err := newEdges(ctx, m, width, height)
	g := region{edges: e, width: width, height: height, left: width, top: height}
	start := uint32(0)
	for i, end := range e.ends {
		if start == end {
			continue
		}
		x, rows := e.left+i, e.rows[start:end]
		g.left, g.right = min(g.left, x), x+1
		g.top, g.bottom = min(g.top, int(rows[0])), max(g.bottom, int(rows[len(rows)-1]))
		for j := 0; j < len(rows); j += 2 {
			g.area += int64(rows[j+1] - rows[j])
		}
		start = end
	}
	return g, err
}

// work returns how much the region costs: its columns and edges.
func (g *region) work() int { return len(g.edges.ends) + len(g.edges.rows) }

// runs yields the run lengths of the whole image, column by column,
// beginning with pixels that are off (COCO-11).
func (g *region) runs(yield func(int) bool) {
	before := 0     // where the last run of pixels that are on ends
	at, end := 0, 0 // such a run that may go on in the next column
	flush := func() bool { return end == 0 || yield(at-before) && yield(end-at) }
	start := uint32(0)
	for i, last := range g.edges.ends {
		column := (g.edges.left + i) * g.height
		for rows := g.edges.rows[start:last]; len(rows) > 0; rows = rows[2:] {
			from, to := column+int(rows[0]), column+int(rows[1])
			if end == 0 || from != end {
				if !flush() {
					return
				}
				before, at = end, from
			}
			end = to
		}
		start = last
	}
	if rest := g.width*g.height - end; flush() && rest > 0 {
		yield(rest)
	}
}

// packer writes run lengths as COCO's compressed string (COCO-13). It
// stores each run from the fourth on as its difference from the run two
// before. It writes a number in groups of five bits, low ones first.
// Each group gets 32 added if another follows, and then 48. A backslash
// is escaped for JSON.
type packer struct {
	n    int    // runs so far
	last [2]int // the last two
}

func (p *packer) append(b []byte, run int) []byte {
	v := run
	if p.n > 2 {
		v -= p.last[0]
	}
	p.n++
	p.last = [2]int{p.last[1], run}
	for more := true; more; {
		group := byte(v & 31)
		v >>= 5
		// Readers take the highest bit of the last group for the sign,
		// so it must agree with what is left.
		more = v != 0 && v != -1 || (v == -1) != (group&16 != 0)
		if more {
			group |= 32
		}
		if group+48 == '\\' {
			b = append(b, '\\')
		}
		b = append(b, group+48)
	}
	return b
}
