// Package raster works on the pixels of images: it decodes, scales,
// turns, flattens and encodes them.
//
// It knows no bucket and no job. DecodeMemory and its siblings tell
// from the head of an image how much memory the work takes. The caller
// must have room for it.
//
// To add a type of image, add a line to codecs. Package imagehead must
// know the type.
package raster

import (
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// ErrUnsupported means that an image may be sound, but that its decoder
// lacks a feature that it uses.
var ErrUnsupported = errors.New("unsupported feature")

// codec decodes and encodes one type of image.
type codec struct {
	decode func(io.Reader) (image.Image, error)
	// memory returns how many bytes decode takes at most, with the
	// image that it returns. A test measures it.
	memory func(head.Head) int64
	// unsupported reports whether an error of decode means
	// ErrUnsupported.
	unsupported func(error) bool
	// encode writes an image with the same size and good quality. It is
	// nil if images of this type cannot be written.
	encode func(io.Writer, image.Image) error
}

// codecs is the table of the types that can be decoded.
var codecs = map[head.Type]codec{
	imagehead.JPEG: {decodeJPEG, jpegMemory, isUnsupportedJPEG, encodeGoodJPEG},
	imagehead.PNG:  {png.Decode, pngMemory, isA[png.UnsupportedError], nil},
}

func isA[E error](err error) bool { return errors.As(err, new(E)) }

// Decode decodes an image of a type. Its errors are those of the
// decoder; they wrap ErrUnsupported where that applies. A panic of the
// decoder is an error too: broken input may cause it.
func Decode(t head.Type, from io.Reader) (image.Image, error) {
	c, known := codecs[t]
	if !known {
		return nil, fmt.Errorf("%w: %s", ErrUnsupported, t)
	}
	m, err := c.guardedDecode(from)
	if err != nil && c.unsupported(err) {
		return nil, &unsupportedError{err}
	}
	return m, err
}

func (c codec) guardedDecode(from io.Reader) (m image.Image, err error) {
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("the decoder failed: %v", p)
		}
	}()
	return c.decode(from)
}

// unsupportedError is a decoder's error that wraps ErrUnsupported too.
type unsupportedError struct{ decoder error }

func (e *unsupportedError) Error() string   { return e.decoder.Error() }
func (e *unsupportedError) Unwrap() []error { return []error{e.decoder, ErrUnsupported} }

// CanDecode reports whether Decode can decode images of a type.
func CanDecode(t head.Type) bool {
	_, known := codecs[t]
	return known
}

// CanEncode reports whether Encode can write images of a type.
func CanEncode(t head.Type) bool { return codecs[t].encode != nil }

// Encode writes an image as a type, in good quality and without
// metadata.
func Encode(w io.Writer, t head.Type, m image.Image) error {
	if !CanEncode(t) {
		return fmt.Errorf("%w: %s cannot be written", ErrUnsupported, t)
	}
	return codecs[t].encode(w, m)
}

// EncodeJPEG writes an image as a JPEG, without metadata. quality is 1
// to 100.
func EncodeJPEG(w io.Writer, m image.Image, quality int) error {
	return jpeg.Encode(w, m, &jpeg.Options{Quality: quality})
}
