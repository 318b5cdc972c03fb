// Package imagehead reads an image's size, orientation and type from
// its first bytes, and decides by an object's name whether it is an
// image.
//
// It knows no bucket and decodes no pixels: the caller fetches the
// bytes. It asks only for bytes that it needs and skips the others. The
// bytes come from strangers, so every length in them is checked before
// it is used.
//
// To add a type of image, write a file like png.go and add a line to
// formats.
package imagehead

import (
	"errors"
	"fmt"
)

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

// Fetch returns n bytes of an object from an offset, fewer only if the
// object ends there. Read does not write to the slice and uses it only
// until the next call.
type Fetch func(off, n int64) ([]byte, error)

// Read reads the head of an object of size bytes. It fetches the first
// bytes, then what it still needs in pieces of 4, 16 and 64 KiB.
//
// If the image itself is wrong, the error is an *Error. Errors of fetch
// are returned as they are.
func Read(fetch Fetch, size, first int64) (Head, error) {
	if size <= 0 {
		return Head{}, &Error{Code: CodeEmpty, Detail: "the object is empty"}
	}
	r := &rangeReader{fetch: fetch, size: size, next: max(first, maxSignature)}
	start, err := r.at(0, min(size, maxSignature))
	if errors.Is(err, errShort) {
		return Head{}, corrupt("", "the object is shorter than it was listed")
	}
	if err != nil {
		return Head{}, err
	}

	if f := formatByContent(start); f != nil {
		return f.read(r)
	}
	if t := otherByContent(start); t != "" {
		return Head{}, unsupported(t, "the content is "+string(t))
	}
	return Head{}, corrupt("",
		"the content has no signature of a known image type: it starts with % x", start)
}

func unsupported(t Type, what string) *Error {
	return &Error{
		Code: CodeUnsupported, Type: t,
		Detail: what + ", which is not supported (supported: " + supported() + ")",
	}
}

func corrupt(t Type, format string, args ...any) error {
	return &Error{Code: CodeCorrupt, Type: t, Detail: fmt.Sprintf(format, args...)}
}
