// Package imagehead reads an image's size, orientation and type from its
// first bytes, and knows which names count as images.
//
// It reads JPEG and PNG, asks only for the bytes that it needs, and jumps
// over those that it does not. It knows no bucket and decodes no pixels:
// where the bytes come from is the caller's affair. What it reads is written
// by strangers, so every length is checked before it is believed.
package imagehead

import (
	"errors"
	"fmt"
)

// Type is the format of an image, as its content tells it.
type Type string

// The types that can be read. Others are recognised, to be refused by name.
const (
	JPEG Type = "jpeg"
	PNG  Type = "png"
)

// Head is what the first bytes of an image tell.
type Head struct {
	Type        Type
	Width       int // pixels as stored, before Orientation
	Height      int // pixels as stored, before Orientation
	Orientation int // EXIF's, 1 to 8; 1 when the image tells none or an impossible one
}

// Display is the size of the image as it is shown: width and height change
// places for the orientations 5 to 8, which turn the image by a quarter (CVAT
// 2.73, utils/dataset_manifest/core.py).
func (h Head) Display() (width, height int) {
	if h.Orientation > 4 {
		return h.Height, h.Width
	}
	return h.Width, h.Height
}

// The codes of an Error, as they stand in a job's error list.
const (
	CodeUnsupported = "unsupported-format" // an image, but of a type that is not read
	CodeCorrupt     = "corrupt-image"      // no image, or a broken one
	CodeEmpty       = "empty-object"       // no bytes at all
	CodeUnusableKey = "unusable-key"       // no tool could name this object again
)

// Error is what is wrong with one image.
type Error struct {
	Code   string // one of the codes, or a room's own
	Type   Type   // as far as the content told; empty when it is no known type
	Detail string // the cause in words
	Err    error  // a decoder's own error; may be nil
}

// Error is the cause in words.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Detail + ": " + e.Err.Error()
	}
	return e.Detail
}

// Unwrap gives the decoder's error.
func (e *Error) Unwrap() error { return e.Err }

// ObjectCode is the code for a job's error list; worker/job asks for it.
func (e *Error) ObjectCode() string { return e.Code }

func corrupt(t Type, format string, args ...any) error {
	return &Error{Code: CodeCorrupt, Type: t, Detail: fmt.Sprintf(format, args...)}
}

// Fetch gives n bytes at an offset of an object, fewer only where the object
// ends. The slice is read, never written, and not kept after the next call.
type Fetch func(off, n int64) ([]byte, error)

// Read finds the head of an object of size bytes. It fetches first bytes,
// then whatever is still needed from where it lies, in pieces of 4, 16 and 64
// KiB. What is wrong with the image is an *Error; the errors of fetch come
// back as they are.
func Read(fetch Fetch, size, first int64) (Head, error) {
	if size <= 0 {
		return Head{}, &Error{Code: CodeEmpty, Detail: "the object is empty"}
	}
	w := &window{fetch: fetch, size: size, next: max(first, sniffed)}
	start, err := w.at(0, min(size, sniffed))
	if errors.Is(err, errShort) {
		return Head{}, corrupt("", "the object is shorter than it was listed")
	}
	if err != nil {
		return Head{}, err
	}
	switch t := sniff(start); t {
	case JPEG:
		return readJPEG(w)
	case PNG:
		return readPNG(w)
	case "":
		return Head{}, corrupt("", "the content is no known type of image: it starts with % x", start)
	default:
		return Head{}, &Error{Code: CodeUnsupported, Type: t, Detail: fmt.Sprintf("the content is %s, which is not read yet: there are jpeg, png", t)}
	}
}

// Parse finds the head of an image that is in memory, whole or at least its
// first part.
func Parse(data []byte) (Head, error) {
	slice := func(off, n int64) ([]byte, error) { return data[off : off+n], nil }
	return Read(slice, int64(len(data)), int64(len(data)))
}

// sniffed is how many bytes tell the types apart.
const sniffed = 12

var signatures = []struct {
	at    int
	magic string
	is    Type
}{
	{0, "\xff\xd8\xff", JPEG},
	{0, "\x89PNG\r\n\x1a\n", PNG},
	{0, "GIF8", "gif"},
	{0, "BM", "bmp"},
	{8, "WEBP", "webp"},
	{0, "II*\x00", "tiff"},
	{0, "MM\x00*", "tiff"},
	{0, "II+\x00", "tiff"},
	{0, "MM\x00+", "tiff"},
	{4, "ftyp", "heif or avif"},
	{4, "jP  ", "jpeg 2000"},
	{0, "\xff\x0a", "jpeg xl"},
	{4, "JXL ", "jpeg xl"},
	{0, "8BPS", "psd"},
	{0, "DDS ", "dds"},
	{0, "\x00\x00\x01\x00", "ico"},
	{0, "icns", "icns"},
	{0, "%!PS", "eps"},
}

func sniff(start []byte) Type {
	for _, s := range signatures {
		if end := s.at + len(s.magic); end <= len(start) && string(start[s.at:end]) == s.magic {
			return s.is
		}
	}
	return ""
}
