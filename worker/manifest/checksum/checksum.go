// Package checksum computes the checksum of an image that CVAT's
// manifests may have: the MD5 of the pixels, as Pillow's Image.tobytes
// returns them (CVAT 2.73, utils/dataset_manifest/utils.py, md5_hash).
//
// It decodes only forms whose pixels all decoders give exactly alike:
// PNG that is not interlaced, and bitmaps, PNM and TIFF that are not
// compressed. It knows no bucket.
package checksum

import (
	"bufio"
	"context"
	"crypto/md5" //nolint:gosec // CVAT's choice; it protects nothing
	"encoding/hex"
	"errors"
	"io"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// ErrNone means that an image gets no checksum: it is not of a form that
// is decoded exactly, or its pixels are broken.
var ErrNone = errors.New("the image has no exact checksum")

const (
	// maxWidth is how wide an image may be, in pixels of up to 8 bytes.
	maxWidth = 1 << 17
	// maxStored is how many bytes of pixels are held at most, of an
	// image whose last row comes first.
	maxStored  = 256 << 20
	bufferSize = 32 << 10
	unpacking  = 128 << 10 // bytes that zlib takes
)

// rows decodes an image from the top to the bottom.
type rows interface {
	// next returns the next row as Pillow holds it, valid until the next
	// call.
	next() ([]byte, error)
}

// Memory returns how many bytes Sum takes at most for an image in an
// object of a size; 0 if the image gets no checksum.
func Memory(h head.Head, size int64) int64 {
	row := 8 * int64(h.Width)
	switch {
	case h.Refusal != "" || h.Width > maxWidth:
		return 0
	case h.Type == typePNG && !h.Layout.Passes, h.Type == typePNM:
		return 4*row + bufferSize + unpacking
	case h.Type == typeBMP && storedBMP(h) <= min(maxStored, size):
		return storedBMP(h) + 2*row + bufferSize
	case h.Type == typeTIFF && h.Orientation == 1 && size <= maxTIFF:
		// Pillow turns a TIFF itself.
		return 3*size + 8*maxValues + bufferSize // it grows while it is read
	}
	return 0
}

// Has reports whether some images of a type get a checksum.
func Has(t head.Type) bool {
	return t == typePNG || t == typePNM || t == typeBMP || t == typeTIFF
}

// Sum returns the checksum of an image for which Memory is not 0; body is
// all of the object. The error is ErrNone, the cause of ctx, or the error
// of body.
func Sum(ctx context.Context, h head.Head, body io.Reader) (string, error) {
	from := &source{Reader: body}
	sum, err := hash(ctx, h, bufio.NewReaderSize(from, bufferSize))
	switch {
	case from.err != nil:
		return "", from.err
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", ErrNone
	}
	return sum, nil
}

func hash(ctx context.Context, h head.Head, body *bufio.Reader) (string, error) {
	open := map[head.Type]func(head.Head, *bufio.Reader) (rows, error){
		typePNG: openPNG, typePNM: openPNM, typeBMP: openBMP, typeTIFF: openTIFF,
	}[h.Type]
	image, err := open(h, body)
	if err != nil {
		return "", err
	}
	digest := md5.New() //nolint:gosec // see above
	var work steps.Counter
	for range h.Height {
		row, err := image.next()
		if err != nil {
			return "", err
		}
		if err := work.Add(ctx, len(row)); err != nil {
			return "", err
		}
		_, _ = digest.Write(row) // cannot fail
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// source keeps the error of a body, apart from those of decoders.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// clearEnd sets the bits behind the last pixel of a row of single bits
// to 0, as Pillow does.
func clearEnd(row []byte, width int) {
	if rest := width & 7; rest > 0 {
		row[len(row)-1] &= 0xff << (8 - rest)
	}
}
