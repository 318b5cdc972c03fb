// Package head holds what all formats of package imagehead share: the
// head of an image, the errors, and the source of the bytes.
package head

// Type is the type of an image, as its content shows it. The types that
// Read can read are constants; those it only recognises have other
// values.
type Type string

// Head is what the first bytes of an image say.
type Head struct {
	Type        Type
	Width       int // pixels as stored, before Orientation
	Height      int // pixels as stored, before Orientation
	Orientation int // EXIF's, 1 to 8; 1 if the image has none or an invalid one
	Layout      Layout
	// Refusal says why CVAT cannot open the image although its size is
	// known; it is empty if CVAT can.
	Refusal string
}

// Display returns the size of the image as displayed: the orientations
// 5 to 8 swap width and height (CVAT 2.73,
// utils/dataset_manifest/core.py).
func (h Head) Display() (width, height int) {
	if h.Orientation > 4 {
		return h.Height, h.Width
	}
	return h.Width, h.Height
}

// Format is a format of images, as the table of package imagehead
// holds it.
type Format struct {
	Type       Type
	Extensions []string // lower case, with the dot
	FirstRead  int64    // how many bytes to fetch first; at least MaxSignature
	// Matches reports whether content is of this format, by its first
	// MaxSignature bytes, or by all of it if it is shorter.
	Matches func(start []byte) bool
	// Read reads the head. It returns an *Error if the image itself is
	// wrong, and the errors of the source as they are.
	Read func(*Source) (Head, error)
}

// MaxSignature is how many bytes Format.Matches gets.
const MaxSignature = 32

// Signature returns a function for Format.Matches. It finds text at an
// offset.
func Signature(at int, text string) func(start []byte) bool {
	return func(start []byte) bool {
		return len(start) >= at+len(text) && string(start[at:at+len(text)]) == text
	}
}
