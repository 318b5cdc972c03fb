package dataset

import (
	"image/color"
	"math"
	"slices"
)

// Image is a picture of the data set. Width and Height are those of the
// displayed image.
type Image struct {
	Key           string
	Width, Height int
	Orientation   int // EXIF; 0 when the file has none
	Objects       []Object

	light  light
	zoom   float64 // pixels per unit of the drawing
	cutout bool    // nothing but the objects, on a transparent ground
}

// Images returns the pictures that decode, in the order of their frame
// numbers in the annotations.
func Images() []Image {
	return slices.Concat(smallScenes(), largeScenes(), moreScenes(), otherShapes())
}

func smallScenes() []Image {
	return []Image{
		scene("buoys.jpg", day,
			buoy(120, 330, 42, red),
			buoy(318, 376, 58, yellow),
			buoy(505, 315, 36, red)),
		scene("containers.jpg", haze,
			crate(60, 250, 150, 84, red),
			crate(60, 344, 150, 84, green),
			crate(226, 344, 150, 84, purple),
			crate(392, 250, 150, 84, orange),
			crate(392, 344, 150, 84, purple)),
		scene("sails.jpg", day,
			sail(white, 150, 96, 82, 330, 232, 330),
			sail(orange, 360, 150, 318, 346, 424, 346),
			sail(red, 528, 204, 496, 322, 572, 322)),
	}
}

func largeScenes() []Image {
	return []Image{
		scene("dawn.jpg", dawn,
			sun(430, 130, 58, yellow),
			sail(purple, 190, 120, 110, 352, 286, 352),
			buoy(520, 390, 32, green)).twice(),
		scene("dusk.jpg", dusk,
			sun(170, 162, 62, orange),
			crate(330, 262, 190, 96, teal),
			sail(white, 560, 132, 536, 240, 604, 240)).twice(),
		scene("night.jpg", night,
			sun(494, 96, 44, white),
			crate(70, 300, 170, 92, red),
			crate(306, 314, 132, 76, orange).tilted(24)).twice(),
	}
}

func moreScenes() []Image {
	return []Image{
		scene("quay.jpg", haze,
			crate(91, 288, 150, 92, orange).tilted(-18),
			crate(354, 262, 120, 120, teal).tilted(45),
			crate(540, 386, 72, 60, red)),
		scene("lifebuoy.jpg", day,
			ring(316, 300, 118, 64, red),
			sail(yellow, 92, 190, 52, 308, 142, 308),
			buoy(550, 398, 30, orange)),
		scene("empty-sea.jpg", dusk),
		scene("港の 風景.jpg", dawn,
			sun(110, 104, 46, orange),
			crate(196, 330, 126, 72, green),
			sail(purple, 452, 92, 372, 342, 548, 342)),
	}
}

// otherShapes returns images that are not landscapes.
func otherShapes() []Image {
	return []Image{
		scene("lighthouse.jpg", haze,
			crate(196, 262, 92, 250, red),
			sail(purple, 242, 128, 176, 250, 308, 250),
			sun(390, 96, 40, orange)).upright(),
		scene("phone.jpg", day,
			sail(red, 236, 86, 104, 424, 348, 424),
			buoy(128, 544, 40, yellow),
			crate(304, 510, 104, 60, orange).tilted(12)).upright().turned(),
		scene("sticker.png", day,
			ring(240, 240, 190, 120, teal),
			sail(orange, 240, 150, 164, 292, 316, 292)).sized(480, 480).onNothing(),
	}
}

var (
	red    = rgb(214, 52, 46)
	orange = rgb(240, 138, 24)
	yellow = rgb(252, 206, 44)
	green  = rgb(22, 148, 84)
	teal   = rgb(0, 168, 168)
	purple = rgb(122, 58, 160)
	white  = rgb(250, 250, 246)
)

// scene makes a landscape of 640 by 480 units.
func scene(name string, l light, objects ...Object) Image {
	return Image{
		Key: Prefix + name, Width: 640, Height: 480, Objects: objects, light: l, zoom: 1,
	}
}

func (s Image) sized(w, h int) Image { s.Width, s.Height = w, h; return s }

func (s Image) upright() Image { return s.sized(480, 640) }

// turned makes the file store the image on its side, as phones do.
func (s Image) turned() Image { s.Orientation = 6; return s }

func (s Image) onNothing() Image { s.cutout = true; return s }

// twice doubles the size of the picture.
func (s Image) twice() Image {
	s.zoom = 2
	s.Width, s.Height = 2*s.Width, 2*s.Height
	for i, o := range s.Objects {
		o.Centre = Point{2 * o.Centre.X, 2 * o.Centre.Y}
		o.Width, o.Height, o.Hole = 2*o.Width, 2*o.Height, 2*o.Hole
		for j, p := range o.Corners {
			o.Corners[j] = Point{2 * p.X, 2 * p.Y}
		}
		s.Objects[i] = o
	}
	return s
}

// sun makes a circle that is annotated by its box, buoy one that is
// annotated as an ellipse, and ring one with a hole that is annotated
// by a mask.
func sun(x, y, r float64, c color.RGBA) Object {
	return Object{
		Label: Circle, Form: Box, Colour: c, Centre: Point{x, y}, Width: 2 * r, Height: 2 * r,
	}
}

func buoy(x, y, r float64, c color.RGBA) Object {
	o := sun(x, y, r, c)
	o.Form = Ellipse
	return o
}

func ring(x, y, r, hole float64, c color.RGBA) Object {
	o := sun(x, y, r, c)
	o.Form, o.Hole = Mask, 2*hole
	return o
}

// crate makes an upright rectangle from its top left corner and its
// size.
func crate(x, y, w, h float64, c color.RGBA) Object {
	return Object{
		Label:   Rectangle,
		Form:    Box,
		Colour:  c,
		Centre:  Point{x + w/2, y + h/2},
		Width:   w,
		Height:  h,
		Corners: []Point{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}},
	}
}

// tilted turns a crate about its centre, clockwise.
func (o Object) tilted(degrees float64) Object {
	o.Rotation = degrees
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	for i, p := range o.Corners {
		dx, dy := p.X-o.Centre.X, p.Y-o.Centre.Y
		o.Corners[i] = Point{o.Centre.X + dx*cos - dy*sin, o.Centre.Y + dx*sin + dy*cos}
	}
	return o
}

// sail makes a triangle from x and y of its three corners.
func sail(c color.RGBA, xy ...float64) Object {
	corners := []Point{{xy[0], xy[1]}, {xy[2], xy[3]}, {xy[4], xy[5]}}
	return Object{Label: Triangle, Form: Polygon, Colour: c, Corners: corners}
}
