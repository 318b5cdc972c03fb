package imagehead

import (
	"image"

	"github.com/disintegration/imaging"
)

// Upright turns an image as an EXIF orientation says (EXIF 2.32, 4.6.4 A); 1
// and what is no orientation leave it as it is.
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
		return imaging.Rotate270(m) // imaging turns counter-clockwise
	case 7:
		return imaging.Transverse(m)
	case 8:
		return imaging.Rotate90(m)
	}
	return m
}
