package dataset

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/vector"
)

// The labels that objects have.
const (
	Circle    = "circle"
	Rectangle = "rectangle"
	Triangle  = "triangle"
)

// Form says how an object is annotated. It is the name of an element of
// CVAT's XML.
type Form string

// The forms.
const (
	Box     Form = "box" // may have a rotation
	Polygon Form = "polygon"
	Ellipse Form = "ellipse"
	Mask    Form = "mask"
)

// Point is a place on the displayed image. Pixel 0 is from 0 to 1.
type Point struct{ X, Y float64 }

// Object is something drawn on an image, in coordinates of the
// displayed image.
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

// Bounds returns the smallest upright box around the object.
func (o Object) Bounds() (topLeft, bottomRight Point) {
	if len(o.Corners) == 0 {
		topLeft = Point{o.Centre.X - o.Width/2, o.Centre.Y - o.Height/2}
		bottomRight = Point{o.Centre.X + o.Width/2, o.Centre.Y + o.Height/2}
		return topLeft, bottomRight
	}
	topLeft, bottomRight = o.Corners[0], o.Corners[0]
	for _, p := range o.Corners[1:] {
		topLeft = Point{min(topLeft.X, p.X), min(topLeft.Y, p.Y)}
		bottomRight = Point{max(bottomRight.X, p.X), max(bottomRight.Y, p.Y)}
	}
	return topLeft, bottomRight
}

// pixels returns the rectangle of all pixels that the object may touch.
func (o Object) pixels() image.Rectangle {
	a, b := o.Bounds()
	left, top := math.Floor(a.X), math.Floor(a.Y)
	right, bottom := math.Ceil(b.X), math.Ceil(b.Y)
	return image.Rect(int(left), int(top), int(right), int(bottom))
}

// fill paints the area of the object with src, moved by an offset.
func (o Object) fill(dst *image.RGBA, src image.Image, offset image.Point) {
	r := o.pixels()
	z := vector.NewRasterizer(r.Dx(), r.Dy())
	trace(z, o, r.Min)
	z.Draw(dst, r.Add(offset), src, r.Min)
}

// coverage returns how much of each pixel the object covers.
func (o Object) coverage() *image.Alpha {
	r := o.pixels()
	z := vector.NewRasterizer(r.Dx(), r.Dy())
	trace(z, o, r.Min)
	a := image.NewAlpha(r)
	z.Draw(a, r, image.Opaque, image.Point{})
	return a
}

// trace draws the outline of the object on a rasterizer whose corner is
// at origin.
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
		if o.Hole > 0 { // the other direction cuts a hole
			round(z, x, y, float32(o.Hole/2), float32(-o.Hole/2))
		}
	}
}

// round traces an ellipse as four cubic curves. They differ from it by
// less than 0.03 % of the radius.
func round(z *vector.Rasterizer, cx, cy, rx, ry float32) {
	const k = 0.5522847
	z.MoveTo(cx+rx, cy)
	z.CubeTo(cx+rx, cy+k*ry, cx+k*rx, cy+ry, cx, cy+ry)
	z.CubeTo(cx-k*rx, cy+ry, cx-rx, cy+k*ry, cx-rx, cy)
	z.CubeTo(cx-rx, cy-k*ry, cx-k*rx, cy-ry, cx, cy-ry)
	z.CubeTo(cx+k*rx, cy-ry, cx+rx, cy-k*ry, cx+rx, cy)
	z.ClosePath()
}
