package coco

import "github.com/stevedore-jobs/stevedore/worker/export/annotation"

// maxRuns is how many runs a mask may have column by column. A few
// bytes of horizontal stripes could become half a gigabyte of runs.
const maxRuns = 1 << 22

// runs are the run lengths of a whole image, column by column,
// beginning with pixels that are off (COCO-11).
type runs struct {
	counts []uint32
	on     bool // whether the last count is of pixels that are on
}

func (r *runs) add(on bool, n int) {
	if len(r.counts) == 0 {
		r.counts = append(r.counts, 0)
	}
	if n > 0 && on != r.on {
		r.counts, r.on = append(r.counts, 0), on
	}
	r.counts[len(r.counts)-1] += uint32(n)
}

// region is the part of a mask inside its image.
type region struct {
	runs        []uint32
	area        int64 // pixels that are on
	left, top   int   // of the box around them
	right       int   // of that box, exclusive
	bottom      int   // of that box, exclusive
	tooManyRuns bool  // more than maxRuns; then nothing else is set
}

// newRegion cuts a mask to an image of fewer than 1<<32 pixels.
func newRegion(m *annotation.Mask, width, height int) region {
	left, right := max(0, m.Left), min(width, m.Left+m.Width)
	top, bottom := max(0, m.Top), min(height, m.Top+m.Height)
	g := region{left: width, top: height}
	if left >= right || top >= bottom {
		return g
	}

	var r runs
	r.add(false, left*height)
	for x := left; x < right; x++ {
		r.add(false, top)
		for y := top; y < bottom; y++ {
			on := m.Has(x, y)
			r.add(on, 1)
			if on {
				g.include(x, y)
			}
		}
		r.add(false, height-bottom)
		if len(r.counts) > maxRuns {
			return region{tooManyRuns: true}
		}
	}
	r.add(false, (width-right)*height)
	g.runs = r.counts
	return g
}

func (g *region) include(x, y int) {
	g.area++
	g.left, g.right = min(g.left, x), max(g.right, x+1)
	g.top, g.bottom = min(g.top, y), max(g.bottom, y+1)
}

// packRuns returns run lengths as COCO's compressed string (COCO-13).
// It stores each run from the fourth on as its difference from the
// run two before. It writes a number in groups of five bits, low ones
// first. Each group gets 32 added if another follows, and then 48.
// The string may contain a backslash; it is not escaped for JSON.
func packRuns(counts []uint32) (b []byte) {
	for i, n := range counts {
		v := int64(n)
		if i > 2 {
			v -= int64(counts[i-2])
		}
		for more := true; more; {
			group := byte(v & 31)
			v >>= 5
			// Readers take the highest bit of the last group for the
			// sign, so it must agree with what is left.
			more = v != 0 && v != -1 || (v == -1) != (group&16 != 0)
			if more {
				group |= 32
			}
			b = append(b, group+48)
		}
	}
	return b
}
