package dataset

import (
	"image"
	"image/color"
	"math"
)

// light holds the colours of sky and sea at a time of day, from top to
// bottom.
type light struct{ skyTop, skyEnd, seaTop, seaEnd color.RGBA }

var (
	day   = light{rgb(104, 160, 208), rgb(206, 226, 236), rgb(92, 142, 170), rgb(34, 78, 112)}
	haze  = light{rgb(170, 180, 186), rgb(222, 222, 214), rgb(146, 160, 164), rgb(86, 102, 112)}
	dawn  = light{rgb(126, 150, 190), rgb(244, 214, 200), rgb(164, 158, 176), rgb(70, 84, 118)}
	dusk  = light{rgb(62, 56, 100), rgb(226, 158, 140), rgb(124, 88, 112), rgb(36, 36, 66)}
	night = light{rgb(12, 18, 40), rgb(50, 66, 102), rgb(32, 46, 74), rgb(10, 16, 32)}
)

func rgb(r, g, b uint8) color.RGBA { return color.RGBA{r, g, b, 255} }

const horizon = 0.52 // of the height

// paint draws the image as it is displayed, without the turn of its
// file.
func (s Image) paint() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, s.Width, s.Height))
	if !s.cutout {
		s.paintGround(m)
	}
	for _, o := range s.Objects {
		if !s.cutout {
			o.castShadow(m, s.zoom)
		}
		o.fill(m, shaded{o}, image.Point{})
	}
	return m
}

func (s Image) paintGround(m *image.RGBA) {
	edge := horizon * float64(s.Height)
	for y := range s.Height {
		down, depth := float64(y)/edge, (float64(y)-edge)/(float64(s.Height)-edge)
		c := mix(s.light.skyTop, s.light.skyEnd, down)
		if depth >= 0 {
			c = mix(s.light.seaTop, s.light.seaEnd, depth)
		}
		for x := range s.Width {
			shade := grain(x, y)
			if depth >= 0 {
				shade += wave(float64(x)/s.zoom, float64(y)/s.zoom, depth)
			} else {
				shade += cloud(float64(x)/s.zoom, float64(y)/s.zoom)
			}
			m.SetRGBA(x, y, lighten(c, shade))
		}
	}
}

// wave returns the brightness of the water. Its crests grow from the
// horizon to the shore.
func wave(x, y, depth float64) float64 {
	stretch := 6 + 26*depth
	bend := 2.2 * math.Sin(x/(stretch*3.1)+y*0.11)
	crest := math.Sin(y*9/stretch+bend) + 0.6*math.Sin(x/stretch-y*7/stretch)
	return (1.5 + 6*depth) * crest
}

// cloud returns the brightness of the sky, in long and faint bands.
func cloud(x, y float64) float64 {
	return 5 * math.Sin(x/97+1.7*math.Sin(y/31)) * math.Sin(y/23+0.8*math.Sin(x/141))
}

// grain returns the noise of a camera's sensor, from -2 to 2. A pixel
// always has the same.
func grain(x, y int) float64 {
	h := uint32(x)*0x9e3779b1 ^ uint32(y)*0x85ebca6b
	h ^= h >> 15
	h *= 0x2c1b3c6d
	h ^= h >> 12
	return float64(h%401)/100 - 2
}

// castShadow draws a soft shadow to the lower right of an object.
func (o Object) castShadow(m *image.RGBA, zoom float64) {
	soft := image.NewUniform(color.RGBA{A: 13})
	for i := 1; i <= 5; i++ {
		d := int(float64(i) * 1.4 * zoom)
		o.fill(m, soft, image.Pt(d, d+d/2))
	}
}

// shaded is the surface of an object. Its colour is lighter at the top
// and darker at the bottom.
type shaded struct{ Object }

// ColorModel implements image.Image.
func (shaded) ColorModel() color.Model { return color.RGBAModel }

// Bounds implements image.Image.
func (s shaded) Bounds() image.Rectangle { return s.pixels() }

// At implements image.Image.
func (s shaded) At(_, y int) color.Color {
	r := s.pixels()
	down := float64(y-r.Min.Y) / float64(r.Dy())
	c, f := s.Colour, 1.06-0.2*down
	scale := func(v uint8) uint8 { return clamp(float64(v) * f) }
	return rgb(scale(c.R), scale(c.G), scale(c.B))
}

func mix(a, b color.RGBA, t float64) color.RGBA {
	f := func(a, b uint8) uint8 { return clamp(float64(a) + (float64(b)-float64(a))*t) }
	return rgb(f(a.R, b.R), f(a.G, b.G), f(a.B, b.B))
}

func lighten(c color.RGBA, by float64) color.RGBA {
	add := func(v uint8) uint8 { return clamp(float64(v) + by) }
	return rgb(add(c.R), add(c.G), add(c.B))
}

func clamp(v float64) uint8 { return uint8(max(0, min(255, math.Round(v)))) }
