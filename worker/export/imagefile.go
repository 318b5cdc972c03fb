package export

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/memory"
	"github.com/stevedore-jobs/stevedore/worker/raster"
	"github.com/stevedore-jobs/stevedore/worker/steps"
)

// maxTurnPixels limits the time that it takes to turn an image upright.
const maxTurnPixels = 100_000_000

// imageFile is the content of an image.
type imageFile struct {
	im      *imageRecord
	key     string
	first   []byte            // the first bytes, or all
	body    *providers.Reader // gives the bytes after first
	size    int64
	release func() // gives back the memory for first
}

// Close closes the body and gives back the memory. It may be called
// twice.
func (f *imageFile) Close() error {
	f.release()
	return f.body.Close()
}

// complete reports whether the whole content is in memory.
func (f *imageFile) complete() bool { return int64(len(f.first)) == f.size }

// head returns the image's head. It asks for bytes that are not in
// memory in requests of their own. An *head.Error says that the
// image has none.
func (s *imageSource) head(ctx context.Context, f *imageFile) (head.Head, error) {
	return imagehead.Read(func(off, n int64) ([]byte, error) {
		if off+n <= int64(len(f.first)) {
			return f.first[off : off+n], nil
		}
		opts := providers.ReadOptions{Offset: off, Length: n, IfMatch: f.body.Object.ETag}
		return job.ReadRange(ctx, s.bucket, f.key, opts)
	}, f.size, int64(len(f.first)))
}

// whole returns the whole content of an image, in memory, and a share
// that has room for it and for more bytes. The caller must release the
// share if there is no error.
func (s *imageSource) whole(
	ctx context.Context, f *imageFile, more int64,
) (c memory.Content, share *memory.Share, err error) {
	share, err = s.memory.ClaimBeside(f.size - int64(len(f.first)) + more)
	if err != nil {
		return c, nil, err
	}
	c.Add(f.first)
	err = c.ReadFrom(ctx, share, f.body, f.size)
	if err == nil && c.Size() < f.size {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = share.Grow(ctx, more)
	}
	if err != nil {
		share.Release()
		return c, nil, err
	}
	return c, share, nil
}

// inspect compares the image with its annotations and reports whether
// it must be turned upright, so that pixels and coordinates agree for
// programs that ignore EXIF (GEN-03). It adds problems to the image's
// record. It does not inspect types that imagehead cannot read. Its
// error is that of the source.
func (s *imageSource) inspect(
	ctx context.Context, f *imageFile,
) (h head.Head, turn bool, err error) {
	h, err = s.head(ctx, f)
	var bad *head.Error
	switch {
	case errors.As(err, &bad):
		if bad.Code != head.CodeUnsupported {
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
		f.addProblem(head.CodeUnsupported,
			"a "+string(h.Type)+" with an EXIF orientation cannot be turned upright")
		return h, false, nil
	case h.Width*h.Height > maxTurnPixels:
		f.addProblem(annotation.CodeTooLarge, fmt.Sprintf(
			"it has %d x %d pixels, and at most %d million can be turned upright",
			h.Width, h.Height, maxTurnPixels/1_000_000))
		return h, false, nil
	}
	var tooLarge *memory.TooLargeError
	if _, err = s.memory.ClaimBeside(f.size + turnMemory(h)); errors.As(err, &tooLarge) {
		f.addProblem(annotation.CodeTooLarge,
			"too large to be turned upright as its EXIF orientation asks: "+tooLarge.Error())
		return h, false, nil
	}
	return h, true, err
}

func (f *imageFile) addProblem(code, text string) {
	f.im.problems.add(annotation.Problemf(code, "%s; exported as it is", text))
}

// turnMemory returns how much memory it takes to turn an image upright,
// beside its file.
func turnMemory(h head.Head) int64 {
	return raster.DecodeMemory(h) + raster.UprightMemory(h.Width, h.Height, h.Orientation) +
		raster.EncodeMemory(h.Width, h.Height)
}

// turnUpright decodes an image and encodes it upright, without its
// EXIF.
func turnUpright(
	ctx context.Context, h head.Head, c memory.Content,
) (upright memory.Content, err error) {
	decoded, err := raster.Decode(h.Type, steps.Reader(ctx, c.Reader()))
	if err != nil {
		return upright, err
	}
	to := steps.Writer(ctx, &upright)
	err = raster.Encode(to, h.Type, raster.Upright(decoded, h.Orientation))
	return upright, err
}
