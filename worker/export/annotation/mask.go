package annotation

import (
	"errors"
	"fmt"
)

// maxMask is how many pixels a mask's box may have. Each takes one
// bit.
const maxMask = 1 << 27

// Mask is a set of pixels inside a box. The box may reach beyond the
// image.
type Mask struct {
	Left, Top, Width, Height int // of the box
	bits                     []uint64
}

// NewMask returns a mask with no pixels. Width and height must be 1
// or more, and together at most maxMask pixels.
func NewMask(left, top, width, height int) (*Mask, error) {
	switch {
	case width < 1 || height < 1:
		return nil, errors.New("a width or height that is not greater than 0")
	case width > maxMask/height:
		return nil, fmt.Errorf("more pixels than this worker handles, %d", maxMask)
	}
	return &Mask{
		Left: left, Top: top, Width: width, Height: height,
		bits: make([]uint64, (width*height+63)/64),
	}, nil
}

// Set adds the n pixels from start on, counted over the box row by
// row. They must lie in the box.
func (m *Mask) Set(start, n int) {
	for i := start; i < start+n; i++ {
		m.bits[i/64] |= 1 << (i % 64)
	}
}

// Has reports whether a pixel of the box belongs to the mask. x and y
// are coordinates of the image.
func (m *Mask) Has(x, y int) bool {
	i := (y-m.Top)*m.Width + x - m.Left
	return m.bits[i/64]>>(i%64)&1 == 1
}
