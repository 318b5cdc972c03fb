package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/raster"
)

const (
	maxTurnPixels = 80_000_000 // of an image that is turned upright; each takes about 12 bytes
	maxTurnBytes  = 1 << 28    // of a large image that is read whole to be turned upright
)

// imageFile is the content of an image.
type imageFile struct {
	im    *imageRecord
	first []byte            // the first bytes, or all
	body  *providers.Reader // gives the bytes after first
	size  int64
}

// Close closes the body. It may be called twice.
func (f *imageFile) Close() error { return f.body.Close() }

// complete reports whether the whole content is in memory.
func (f *imageFile) complete() bool { return int64(len(f.first)) == f.size }

// readTo reads until the first n bytes are in memory.
func (f *imageFile) readTo(n int64) error {
	b := make([]byte, n)
	had := copy(b, f.first)
	if _, err := io.ReadFull(f.body, b[had:]); err != nil {
		return err
	}
	f.first = b
	return nil
}

var errBeyond = errors.New("beyond the bytes in memory")

// head returns the image's head. If the first bytes do not contain
// it, head reads the whole image. An *imagehead.Error says that the
// image has none.
func (f *imageFile) head() (imagehead.Head, error) {
	h, err := imagehead.Read(func(off, n int64) ([]byte, error) {
		if off+n > int64(len(f.first)) {
			return nil, errBeyond
		}
		return f.first[off : off+n], nil
	}, f.size, int64(len(f.first)))
	if !errors.Is(err, errBeyond) {
		return h, err
	}
	if f.size > maxTurnBytes {
		return h, &imagehead.Error{
			Code:   annotation.CodeTooLarge,
			Detail: "its size and orientation are too far from its start to look for",
		}
	}
	if err := f.readTo(f.size); err != nil {
		return h, err
	}
	return f.head()
}

// inspect compares the image with its annotations and reports whether
// it must be turned upright, so that pixels and coordinates agree for
// programs that ignore EXIF (GEN-03). It adds problems to the image's
// record. It does not inspect types that imagehead cannot read. Its
// error is that of the source.
func (f *imageFile) inspect() (h imagehead.Head, turn bool, err error) {
	h, err = f.head()
	var bad *imagehead.Error
	switch {
	case errors.As(err, &bad):
		if bad.Code != imagehead.CodeUnsupported {
			f.addProblem(bad.Code, bad.Error())
		}
		return h, false, nil
	case err != nil:
		return h, false, err
	}

	if width, height := h.Display(); width != f.im.Width || height != f.im.Height {
		f.addProblem(codeSizeMismatch, fmt.Sprintf(
			"the stored image is %dx%d, its annotations are for %dx%d",
			width, height, f.im.Width, f.im.Height))
	}
	switch {
	case h.Orientation == 1:
		return h, false, nil
	case !raster.CanEncode(h.Type):
		f.addProblem(imagehead.CodeUnsupported,
			"a "+string(h.Type)+" with an EXIF orientation cannot be turned upright")
		return h, false, nil
	case h.Width*h.Height > maxTurnPixels || f.size > maxTurnBytes:
		f.addProblem(annotation.CodeTooLarge,
			"too large to be turned upright as its EXIF orientation asks")
		return h, false, nil
	}
	return h, true, nil
}

func (f *imageFile) addProblem(code, text string) {
	f.im.problems.add(annotation.Problemf(code, "%s; exported as it is", text))
}

// turn replaces the complete content by the same image upright. If it
// cannot be decoded, that is a problem and the content stays.
func (f *imageFile) turn(h imagehead.Head) {
	upright, err := turnUpright(h, f.first)
	if err != nil {
		f.addProblem(imagehead.CodeCorrupt, "cannot be decoded to be turned upright: "+err.Error())
		return
	}
	f.first = upright
}

// turnUpright decodes an image and encodes it upright, without its
// EXIF.
func turnUpright(h imagehead.Head, data []byte) ([]byte, error) {
	decoded, err := raster.Decode(h.Type, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = raster.Encode(&out, h.Type, raster.Upright(decoded, h.Orientation))
	return out.Bytes(), err
}
