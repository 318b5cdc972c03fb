package dataset

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/vector"
)

// The labels in use.
const (
	Circle    = "circle"
	Rectangle = "rectangle"
	Triangle  = "triangle"
)

// Form is how an object is annotated: an element of CVAT's XML.
type Form string

// The forms.
const (
	Box     Form = "box" // perhaps with a rotation
	Polygon Form = "polygon"
	Ellipse Form = "ellipse"
	Mask    Form = "mask"
)

// Point is a place on the displayed image. Pixel 0 reaches from 0 to 1.
type Point struct{ X, Y float64 }

// Object is something drawn on an image, in displayed coordinates.
type Object struct {
	Label    string
	Form     Form
	Colour   color.RGBA
	Centre   Point
	Width    float64 // before the rotation
	Height   float64
	Rotation float64 // degrees, clockwise
	Hole     float64 // diameter of the hole in a ring
	Corners  []Point // of rectangles and triangles, after the rotation
}

// Bounds is the smallest upright box around the object.
func (o Object) Bounds() (topLeft, bottomRight Point) {
	if len(o.Corners) == 0 {
		return Point{o.Centre.X - o.Width/2, o.Centre.Y - o.Height/2}, Point{o.Centre.X + o.Width/2, o.Centre.Y + o.Height/2}
	}
	topLeft, bottomRight = o.Corners[0], o.Corners[0]
	for _, p := range o.Corners[1:] {
		topLeft = Point{min(topLeft.X, p.X), min(topLeft.Y, p.Y)}
		bottomRight = Point{max(bottomRight.X, p.X), max(bottomRight.Y, p.Y)}
	}
	return topLeft, bottomRight
}

// pixels is every pixel that the object may touch.
func (o Object) pixels() image.Rectangle {
	a, b := o.Bounds()
	return image.Rect(int(math.Floor(a.X)), int(math.Floor(a.Y)), int(math.Ceil(b.X)), int(math.Ceil(b.Y)))
}

// fill paints the object's area with src, moved by an offset.
func (o Object) fill(dst *image.RGBA, src image.Image, offset image.Point) {
	r := o.pixels()
	z := vector.NewRasterizer(r.Dx(), r.Dy())
	trace(z, o, r.Min)
	z.Draw(dst, r.Add(offset), src, r.Min)
}

// coverage is the object alone: how much of each pixel it covers.
func (o Object) coverage() *image.Alpha {
	r := o.pixels()
	z := vector.NewRasterizer(r.Dx(), r.Dy())
	trace(z, o, r.Min)
	a := image.NewAlpha(r)
	z.Draw(a, r, image.Opaque, image.Point{})
	return a
}

// trace puts the object's outline on the rasterizer, whose corner lies at
// origin.
func trace(z *vector.Rasterizer, o Object, origin image.Point) {
	at := func(x, y float64) (float32, float32) {
		return float32(x - float64(origin.X)), float32(y - float64(origin.Y))
	}
	for i, p := range o.Corners {
		x, y := at(p.X, p.Y)
		if i == 0 {
			z.MoveTo(x, y)
		} else {
			z.LineTo(x, y)
		}
	}
	z.ClosePath()
	if len(o.Corners) == 0 {
		x, y := at(o.Centre.X, o.Centre.Y)
		round(z, x, y, float32(o.Width/2), float32(o.Height/2))
		if o.Hole > 0 { // turning the other way cuts out
			round(z, x, y, float32(o.Hole/2), float32(-o.Hole/2))
		}
	}
}

// round traces an ellipse of four cubic curves, which stay within 0.03 % of
// its radius.
func round(z *vector.Rasterizer, cx, cy, rx, ry float32) {
	const k = 0.5522847
	z.MoveTo(cx+rx, cy)
	z.CubeTo(cx+rx, cy+k*ry, cx+k*rx, cy+ry, cx, cy+ry)
	z.CubeTo(cx-k*rx, cy+ry, cx-rx, cy+k*ry, cx-rx, cy)
	z.CubeTo(cx-rx, cy-k*ry, cx-k*rx, cy-ry, cx, cy-ry)
	z.CubeTo(cx+k*rx, cy-ry, cx+rx, cy-k*ry, cx+rx, cy)
	z.ClosePath()
}
