package raster

import (
	"image"
	"image/color"
	"image/draw"

	"github.com/disintegration/imaging"
)

// Upright returns an image as it is displayed under an EXIF
// orientation (EXIF 2.32, 4.6.4 A). It returns m itself for 1 and for
// an invalid orientation.
func Upright(m image.Image, orientation int) image.Image {
	switch orientation {
	case 2:
		return imaging.FlipH(m)
	case 3:
		return imaging.Rotate180(m)
	case 4:
		return imaging.FlipV(m)
	case 5:
		return imaging.Transpose(m)
	case 6:
		return imaging.Rotate270(m) // imaging rotates counter-clockwise
	case 7:
		return imaging.Transverse(m)
	case 8:
		return imaging.Rotate90(m)
	}
	return m
}

// Resize scales an image to a size in pixels, with a Lanczos filter.
func Resize(m image.Image, width, height int) image.Image {
	return imaging.Resize(m, width, height, imaging.Lanczos)
}

// Flatten draws an image on a white background.
func Flatten(m image.Image) *image.RGBA {
	flat := image.NewRGBA(image.Rectangle{Max: m.Bounds().Size()})
	draw.Draw(flat, flat.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Rect, m, m.Bounds().Min, draw.Over)
	return flat
}
