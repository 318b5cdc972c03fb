package annotation

import "math"

// Point is a position in an image, in pixels from its top left
// corner. Y grows downwards.
type Point struct{ X, Y float64 }

// Rotate rotates points around a centre in place, clockwise on the
// screen.
func Rotate(ring []Point, centre Point, degrees float64) {
	if degrees == 0 {
		return
	}
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	for i, p := range ring {
		dx, dy := p.X-centre.X, p.Y-centre.Y
		ring[i] = Point{centre.X + dx*cos - dy*sin, centre.Y + dx*sin + dy*cos}
	}
}

// EllipseOutline returns a polygon inside an ellipse. It has 16 to
// 360 corners, and up to radii of about 2,600 pixels it is at most a
// tenth of a pixel away from the ellipse.
func EllipseOutline(centre Point, rx, ry float64) []Point {
	const tolerance = 0.1
	n := 16
	if r := max(rx, ry); r > tolerance {
		n = int(min(360, max(16, math.Ceil(math.Pi/math.Acos(1-tolerance/r)))))
	}
	ring := make([]Point, n)
	for i := range ring {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		ring[i] = Point{centre.X + rx*cos, centre.Y + ry*sin}
	}
	return ring
}

// Clip cuts a polygon to 0,0..width,height, one side after the other
// (GEN-07, the method of Sutherland and Hodgman). A polygon that
// leaves the image and returns stays one ring, joined along the
// border.
func Clip(ring []Point, width, height float64) []Point {
	for _, side := range []struct {
		value float64 // a point lies axis(p)*sign - value*sign inside
		sign  float64
		axis  func(Point) float64
	}{
		{0, 1, func(p Point) float64 { return p.X }},
		{width, -1, func(p Point) float64 { return p.X }},
		{0, 1, func(p Point) float64 { return p.Y }},
		{height, -1, func(p Point) float64 { return p.Y }},
	} {
		ring = clipSide(ring, func(p Point) float64 {
			return (side.axis(p) - side.value) * side.sign
		})
	}
	return ring
}

// clipSide returns the part of a polygon where inside is 0 or more.
func clipSide(ring []Point, inside func(Point) float64) []Point {
	within, crossed := 0, 0
	for i, p := range ring {
		q := ring[(i+len(ring)-1)%len(ring)]
		if inside(p) >= 0 {
			within++
		}
		if (inside(q) < 0) != (inside(p) < 0) {
			crossed++
		}
	}
	if within == len(ring) {
		return ring
	}
	part := make([]Point, 0, within+crossed)
	for i, p := range ring {
		q := ring[(i+len(ring)-1)%len(ring)]
		dq, dp := inside(q), inside(p)
		if (dq < 0) != (dp < 0) {
			t := dq / (dq - dp)
			part = append(part, Point{q.X + t*(p.X-q.X), q.Y + t*(p.Y-q.Y)})
		}
		if dp >= 0 {
			part = append(part, p)
		}
	}
	return part
}
