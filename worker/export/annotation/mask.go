package annotation

import (
	"errors"
	"fmt"
)

// Mask is a set of pixels inside a box. The box may reach beyond the
// image.
type Mask struct {
	Left, Top, Width, Height int // of the box
	// Spans are the pixels that are on, counted over the box row by row:
	// in order, and with pixels that are off between them. So a mask
	// takes memory for its outline and not for its pixels.
	Spans []Span
}

// Span is a row of pixels from Start on, up to End, which is not one of
// them.
type Span struct{ Start, End uint32 }

// NewMask returns a mask with no pixels. Width and height must be 1
// or more, and together at most MaxPixels.
func NewMask(left, top, width, height int) (*Mask, error) {
	switch {
	case width < 1 || height < 1:
		return nil, errors.New("a width or height that is not greater than 0")
	case width > MaxPixels/height:
		return nil, fmt.Errorf("more pixels than this worker handles, %d", MaxPixels)
	}
	return &Mask{Left: left, Top: top, Width: width, Height: height}, nil
}

// Add adds the n pixels from start on, counted over the box row by
// row. They must lie in the box, behind those that were added before.
func (m *Mask) Add(start, n int) {
	last := len(m.Spans) - 1
	switch end := uint32(start + n); {
	case n == 0:
	case last >= 0 && m.Spans[last].End == uint32(start):
		m.Spans[last].End = end
	default:
		m.Spans = append(m.Spans, Span{uint32(start), end})
	}
}
