package export

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxMask is how many pixels the box around a mask may have; they take one
// bit each while the mask is turned.
const maxMask = 1 << 27

// maxRuns is how many runs a mask may have when it is turned: stripes of a
// few bytes of XML could become half a gigabyte.
const maxRuns = 1 << 22

// mask is a set of pixels, those of a box that are on. The box may reach
// beyond the image.
type mask struct {
	left, top, width, height int // of the box
	bits                     []uint64
}

func (m *mask) on(x, y int) bool {
	i := (y-m.top)*m.width + x - m.left
	return m.bits[i/64]>>(i%64)&1 == 1
}

// decode reads CVAT's runs: over the box row by row, off first, their sum the
// box's pixels (CVAT-08).
func (m *mask) decode(rle string) error {
	total := m.width * m.height
	m.bits = make([]uint64, (total+63)/64)
	at, on := 0, false
	for text := range strings.SplitSeq(rle, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 0 {
			return fmt.Errorf("run %q in its rle", brief(text))
		}
		if n > total-at {
			return errors.New("an rle of more pixels than width times height")
		}
		for i := at; on && i < at+n; i++ {
			m.bits[i/64] |= 1 << (i % 64)
		}
		at, on = at+n, !on
	}
	if at != total {
		return errors.New("an rle of fewer pixels than width times height")
	}
	return nil
}

// runs are the run lengths of a whole image column by column, off first
// (COCO-11).
type runs struct {
	counts []uint32
	on     bool // what the last count counts
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

// region is a mask inside its image: COCO's runs, how many pixels are on, and
// the box around them, its high end exclusive.
type region struct {
	runs                    []uint32
	area                    int64
	left, top, right, below int
	tooRagged               bool // more than maxRuns; the rest is not set
}

// region cuts the mask to an image. An image has fewer than 1<<32 pixels, or
// its entry would have been refused.
func (m *mask) region(width, height int) region {
	left, right := max(0, m.left), min(width, m.left+m.width)
	top, below := max(0, m.top), min(height, m.top+m.height)
	g := region{left: width, top: height}
	if left >= right || top >= below {
		return g
	}
	var r runs
	r.add(false, left*height)
	for x := left; x < right; x++ {
		r.add(false, top)
		for y := top; y < below; y++ {
			on := m.on(x, y)
			r.add(on, 1)
			if on {
				g.cover(x, y)
			}
		}
		r.add(false, height-below)
		if len(r.counts) > maxRuns {
			return region{tooRagged: true}
		}
	}
	r.add(false, (width-right)*height)
	g.runs = r.counts
	return g
}

func (g *region) cover(x, y int) {
	g.area++
	g.left, g.right = min(g.left, x), max(g.right, x+1)
	g.top, g.below = min(g.top, y), max(g.below, y+1)
}

// packRuns writes runs as COCO's compressed string (COCO-13): each run from
// the fourth on as its difference from the one two before, in groups of five
// bits, low ones first, each group plus 32 when another follows, plus 48. The
// string may hold a backslash; it is not yet escaped for JSON.
func packRuns(counts []uint32) (b []byte) {
	for i, n := range counts {
		v := int64(n)
		if i > 2 {
			v -= int64(counts[i-2])
		}
		for more := true; more; {
			group := byte(v & 31)
			v >>= 5
			// The group's highest bit is taken for the sign, so it must agree
			// with what is left.
			more = v != 0 && v != -1 || (v == -1) != (group&16 != 0)
			if more {
				group |= 32
			}
			b = append(b, group+48)
		}
	}
	return b
}
