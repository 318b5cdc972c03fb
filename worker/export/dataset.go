package export

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/export/formats"
)

const (
	maxImages     = 1_000_000     // in one document
	maxSubsets    = 100           // each takes one scan of the document
	maxSubsetName = 100           // bytes
	maxSide       = 1_000_000     // pixels
	maxPixels     = 1_000_000_000 // of an image; pycocotools counts them in 32 bits
)

// dataset is what the first scan of the document finds.
type dataset struct {
	schema  annotation.Schema
	images  []imageRecord // in the document's order
	subsets []string      // in the order of their files in the archive
}

// imageRecord is what is kept of an image between the scans of the
// document.
type imageRecord struct {
	annotation.Image
	leftOut  bool // the image is not exported
	finished bool // the progress has counted it
	problems problems
}

// imageDirectory is put before the name of an image to make its key.
type imageDirectory string

func (d imageDirectory) key(im *imageRecord) string { return string(d) + im.Name }

// exported yields the images that are exported, in the document's
// order.
func (d *dataset) exported() iter.Seq[*imageRecord] {
	return func(yield func(*imageRecord) bool) {
		for i := range d.images {
			if im := &d.images[i]; !im.leftOut && !yield(im) {
				return
			}
		}
	}
}

// survey scans the document for its images and subsets. It fails if
// the document is not valid.
func survey(ctx context.Context, doc *document, w formats.Writer) (*dataset, error) {
	d := &dataset{}
	schema, err := doc.scan(ctx, func(r formats.Reader, im annotation.Image) error {
		bad := d.addSubset(im.Subset)
		if len(d.images) == maxImages {
			bad = &annotation.DocumentError{
				Code: "TooLarge", Detail: fmt.Sprintf("more than %d images", maxImages),
				Fix: "Export fewer images at a time, for example task by task.",
			}
		}
		if bad != nil {
			bad.Line = r.Line()
			return bad
		}
		d.images = append(d.images, newImageRecord(im))
		return nil
	})
	if err != nil {
		return nil, err
	}

	d.schema = schema
	if len(d.subsets) == 0 {
		d.subsets = []string{annotation.DefaultSubset}
	}
	slices.SortFunc(d.subsets, func(a, b string) int {
		return strings.Compare(w.AnnotationsPath(a), w.AnnotationsPath(b))
	})
	return d, nil
}

func newImageRecord(h annotation.Image) imageRecord {
	im := imageRecord{Image: h}
	if !isRelativePath(h.Name) {
		im.problems.add(annotation.Problemf(codeInvalidName,
			"an empty, \".\" or \"..\" path segment in image name %.200q; left out", h.Name))
	}
	sized := h.Width > 0 && h.Height > 0 && h.Width <= maxSide && h.Height <= maxSide
	if !sized || h.Width*h.Height > maxPixels {
		im.problems.add(annotation.Problemf(codeInvalidImage,
			"width and height are missing or not usable; left out"))
	}
	im.leftOut = !im.problems.empty()
	return im
}

// addSubset adds a subset that is new. It returns an error if the
// name cannot be part of a file name, or differs from another one
// only in case.
func (d *dataset) addSubset(name string) *annotation.DocumentError {
	if slices.Contains(d.subsets, name) {
		return nil
	}
	invalid := func(format string, args ...any) *annotation.DocumentError {
		return &annotation.DocumentError{
			Code: "InvalidSubset", Detail: fmt.Sprintf(format, args...),
			Fix: "Rename the subset and export the annotations again.",
		}
	}
	if len(name) > maxSubsetName || !isRelativePath(name) ||
		strings.Contains(name, "/") || safeName(name) != name {
		return invalid("subset %.100q cannot be a file name", name)
	}
	for _, other := range d.subsets {
		if fold(other) == fold(name) {
			return invalid("subsets %q and %q differ only in case", other, name)
		}
	}
	if len(d.subsets) == maxSubsets {
		return &annotation.DocumentError{
			Code: "TooLarge", Detail: fmt.Sprintf("more than %d subsets", maxSubsets),
			Fix: "Export the project's tasks one by one.",
		}
	}
	d.subsets = append(d.subsets, name)
	return nil
}
