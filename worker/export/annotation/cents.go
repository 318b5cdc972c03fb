package annotation

import "math"

// Cent is a hundredth of a pixel, the precision of CVAT's own files.
// Whole cents add exactly and print without exponent or -0. A box's
// x+w is exactly its right side (GEN-04, COCO-07).
type Cent int64

// Cents rounds pixels to cents.
func Cents(v float64) Cent { return Cent(math.Round(v * 100)) }

// Corner is a point in cents.
type Corner struct{ X, Y Cent }

// Corners rounds a clipped ring to cents. It drops each corner that
// equals the corner before it, and a last corner that equals the
// first (COCO-10). After rounding no corner lies outside the image,
// whose size is in pixels.
func Corners(ring []Point, width, height int) []Corner {
	corners := make([]Corner, 0, len(ring))
	for _, p := range ring {
		c := Corner{
			max(0, min(Cents(p.X), Cent(width)*100)),
			max(0, min(Cents(p.Y), Cent(height)*100)),
		}
		if len(corners) == 0 || corners[len(corners)-1] != c {
			corners = append(corners, c)
		}
	}
	for len(corners) > 1 && corners[len(corners)-1] == corners[0] {
		corners = corners[:len(corners)-1]
	}
	return corners
}

// Bounds returns the smallest upright box around at least one corner.
func Bounds(ring []Corner) (low, high Corner) {
	low, high = ring[0], ring[0]
	for _, c := range ring[1:] {
		low = Corner{min(low.X, c.X), min(low.Y, c.Y)}
		high = Corner{max(high.X, c.X), max(high.Y, c.Y)}
	}
	return low, high
}

// Area returns the area inside a ring in square cents, by the
// shoelace formula. It rounds half a square cent up.
func Area(ring []Corner) int64 {
	var twice int64
	for i, c := range ring {
		next := ring[(i+1)%len(ring)]
		twice += int64(c.X)*int64(next.Y) - int64(next.X)*int64(c.Y)
	}
	if twice < 0 {
		twice = -twice
	}
	return (twice + 1) / 2
}
