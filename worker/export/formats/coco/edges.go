package coco

import (
	"context"
	"errors"
	"math"
	"sort"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// edges are where the columns of an image change between pixels that
// are off and pixels that are on, from top to bottom. Each column
// begins with pixels that are off, so it has an even number of edges.
type edges struct {
	left int      // the column in the image of starts[0]
	ends []uint32 // where a column's edges end in rows; they start where those before end
	rows []uint32 // the row of the image below each edge
}

// errTooManyEdges says that a mask has more than annotation.MaxRuns
// edges. A few bytes of horizontal stripes have millions.
var errTooManyEdges = errors.New("too many edges")

// newEdges returns the edges of a mask inside an image. It takes time
// and memory for the runs of the mask, its columns and its edges, and
// not for its pixels. Other errors than errTooManyEdges are the cause
// of ctx's end.
func newEdges(ctx context.Context, m *annotation.Mask, width, height int) (edges, error) {
	cut := newCut(m, width, height)
	if cut.right <= cut.left || cut.bottom <= cut.top {
		return edges{}, nil
	}
	// Where runs of edges begin and end in a row gives the number of
	// edges of each column, and these the place of each column's edges.
	changes := make([]int32, cut.right-cut.left+1)
	total := 0
	err := cut.each(ctx, func(_, from, to int) error {
		changes[from-cut.left]++
		changes[to-cut.left]--
		if total += to - from; total > annotation.MaxRuns {
			return errTooManyEdges
		}
		return nil
	})
	if err != nil {
		return edges{}, err
	}
	e := edges{
		left: m.Left + cut.left, rows: make([]uint32, total),
		ends: make([]uint32, cut.right-cut.left),
	}
	inColumn, at := int32(0), uint32(0)
	for i := range e.ends {
		e.ends[i] = at // for now where the column starts
		inColumn += changes[i]
		at += uint32(inColumn)
	}
	err = cut.each(ctx, func(row, from, to int) error {
		for x := from - cut.left; x < to-cut.left; x++ {
			e.rows[e.ends[x]] = uint32(row + m.Top)
			e.ends[x]++
		}
		return nil
	})
	return e, err
}

// cut is the part of a mask's box that is inside the image.
type cut struct {
	mask                     *annotation.Mask
	left, top, right, bottom int // in the box; right and bottom are exclusive
}

func newCut(m *annotation.Mask, width, height int) cut {
	return cut{
		mask: m, left: max(0, -m.Left), top: max(0, -m.Top),
		right: min(m.Width, width-m.Left), bottom: min(m.Height, height-m.Top),
	}
}

// each calls do for each run of edges, which are above one row of
// pixels and next to each other. to is exclusive. The rows ascend.
//
// There is an edge above a pixel if it is on and the pixel a row before
// is not, or the reverse. Over the pixels row by row, that is where the
// mask differs from itself moved by the width of the box.
func (c cut) each(ctx context.Context, do func(row, from, to int) error) error {
	lower := newSpanCursor(c, 0)
	upper := newSpanCursor(c, c.mask.Width)
	var work steps.Counter
	for at := 0; ; {
		next := min(lower.next(), upper.next())
		if next == noMore {
			return nil
		}
		if lower.on != upper.on {
			if err := c.eachRow(at, next, do); err != nil {
				return err
			}
		}
		if err := work.Add(ctx, 1); err != nil {
			return err
		}
		at = next
		lower.passTo(at)
		upper.passTo(at)
	}
}

// eachRow calls do for the part in each row of some pixels. to is
// exclusive.
func (c cut) eachRow(from, to int, do func(row, from, to int) error) error {
	for from < to {
		row, x := from/c.mask.Width, from%c.mask.Width
		n := min(c.mask.Width-x, to-from)
		if left, right := max(x, c.left), min(x+n, c.right); left < right {
			if err := do(row, left, right); err != nil {
				return err
			}
		}
		from += n
	}
	return nil
}

// spanCursor goes over where the spans of a cut begin and end.
type spanCursor struct {
	spans       []annotation.Span
	first, last int  // pixels of the cut's rows; last is exclusive
	moved       int  // pixels
	passed      int  // beginnings and ends
	on          bool // at the current place
}

func newSpanCursor(c cut, moved int) spanCursor {
	first, last := c.top*c.mask.Width, c.bottom*c.mask.Width
	spans := c.mask.Spans
	from := sort.Search(len(spans), func(i int) bool { return int(spans[i].End) > first })
	to := sort.Search(len(spans), func(i int) bool { return int(spans[i].Start) >= last })
	return spanCursor{spans: spans[from:to], first: first, last: last, moved: moved}
}

// noMore is behind all places.
const noMore = math.MaxInt

// next returns the place where the next span begins or ends.
func (s *spanCursor) next() int {
	i := s.passed / 2
	switch {
	case i == len(s.spans):
		return noMore
	case s.passed%2 == 0:
		return max(int(s.spans[i].Start), s.first) + s.moved
	}
	return min(int(s.spans[i].End), s.last) + s.moved
}

// passTo goes over the next place if it is at.
func (s *spanCursor) passTo(at int) {
	if s.next() == at {
		s.passed++
		s.on = !s.on
	}
}
