package export

import (
	"math"
	"slices"
)

// point is a place in an image, in pixels from its top left corner, y
// downwards.
type point struct{ x, y float64 }

// turn rotates points around a centre, clockwise as seen, in place.
func turn(ring []point, centre point, degrees float64) {
	if degrees == 0 {
		return
	}
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	for i, p := range ring {
		dx, dy := p.x-centre.x, p.y-centre.y
		ring[i] = point{centre.x + dx*cos - dy*sin, centre.y + dx*sin + dy*cos}
	}
}

// ellipse is a polygon that lies inside an ellipse and nowhere further from
// it than a tenth of a pixel, up to radii of some 2,600 pixels; it has 16 to
// 360 corners.
func ellipse(centre point, rx, ry float64) []point {
	const tolerance = 0.1
	n := 16
	if r := max(rx, ry); r > tolerance {
		n = int(min(360, max(16, math.Ceil(math.Pi/math.Acos(1-tolerance/r)))))
	}
	ring := make([]point, n)
	for i := range ring {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		ring[i] = point{centre.x + rx*cos, centre.y + ry*sin}
	}
	return ring
}

// clipRing cuts a polygon to 0,0..width,height (GEN-07) by Sutherland and
// Hodgman's method, one side after the other. A polygon that leaves the image
// and comes back stays one ring, joined along the border.
func clipRing(ring []point, width, height float64) []point {
	for _, side := range []struct {
		value float64 // how far a point lies inside is axis(p)*sign - value*sign
		sign  float64
		axis  func(point) float64
	}{
		{0, 1, func(p point) float64 { return p.x }},
		{width, -1, func(p point) float64 { return p.x }},
		{0, 1, func(p point) float64 { return p.y }},
		{height, -1, func(p point) float64 { return p.y }},
	} {
		ring = clipSide(ring, func(p point) float64 { return (side.axis(p) - side.value) * side.sign })
	}
	return ring
}

// clipSide keeps the part of a polygon where inside is 0 or more.
func clipSide(ring []point, inside func(point) float64) []point {
	if !slices.ContainsFunc(ring, func(p point) bool { return inside(p) < 0 }) {
		return ring
	}
	var kept []point
	for i, p := range ring {
		q := ring[(i+len(ring)-1)%len(ring)]
		dq, dp := inside(q), inside(p)
		if (dq < 0) != (dp < 0) {
			t := dq / (dq - dp)
			kept = append(kept, point{q.x + t*(p.x-q.x), q.y + t*(p.y-q.y)})
		}
		if dp >= 0 {
			kept = append(kept, p)
		}
	}
	return kept
}

// A cent is a hundredth of a pixel, the precision of CVAT's own files. Whole
// cents add and print without surprises: no exponent, no -0, and a box's x+w
// is exactly where it ends (GEN-04, COCO-07).
type cent int64

func cents(v float64) cent { return cent(math.Round(v * 100)) }

// corner is a point in cents.
type corner struct{ x, y cent }

// corners rounds a clipped ring to cents and drops each corner that equals
// the one before it, the first one repeated at the end among them (COCO-10).
// After rounding nothing lies outside the image.
func corners(ring []point, width, height int) []corner {
	out := make([]corner, 0, len(ring))
	for _, p := range ring {
		c := corner{
			max(0, min(cents(p.x), cent(width)*100)),
			max(0, min(cents(p.y), cent(height)*100)),
		}
		if len(out) == 0 || out[len(out)-1] != c {
			out = append(out, c)
		}
	}
	for len(out) > 1 && out[len(out)-1] == out[0] {
		out = out[:len(out)-1]
	}
	return out
}

// hull is the smallest upright box around corners.
func hull(ring []corner) (low, high corner) {
	low, high = ring[0], ring[0]
	for _, c := range ring[1:] {
		low = corner{min(low.x, c.x), min(low.y, c.y)}
		high = corner{max(high.x, c.x), max(high.y, c.y)}
	}
	return low, high
}

// area is what a ring encloses, in square cents, by the shoelace formula;
// half a square cent is rounded up.
func area(ring []corner) int64 {
	var twice int64
	for i, c := range ring {
		next := ring[(i+1)%len(ring)]
		twice += int64(c.x)*int64(next.y) - int64(next.x)*int64(c.y)
	}
	if twice < 0 {
		twice = -twice
	}
	return (twice + 1) / 2
}
