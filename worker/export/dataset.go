package export

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/export/naming"
)

// dataset is what the first scan of the document finds.
type dataset struct {
	schema      annotation.Schema
	images      []imageRecord      // in the document's order
	subsets     []string           // in the order of their files in the archive
	directories naming.Directories // of all images
	listed      *problemRoom
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

// add adds an image. Its error is an *annotation.DocumentError.
func (d *dataset) add(h annotation.Image) error {
	if len(d.images) == annotation.MaxImages {
		return annotation.TooLarge(annotation.MaxImages, "images")
	}
	subset, bad := d.addSubset(h.Subset)
	if bad != nil {
		return bad
	}
	h.Subset = subset
	im := newImageRecord(h, d.listed)
	if len(h.Name) <= annotation.MaxName && !d.directories.Add(subset, naming.Safe(im.Name)) {
		return annotation.TooLarge(annotation.MaxDirectories, "directories in the names of images")
	}
	d.images = append(d.images, im)
	return nil
}

func newImageRecord(h annotation.Image, listed *problemRoom) imageRecord {
	im := imageRecord{Image: h}
	leaveOut := func(code, format string, args ...any) {
		listed.add(&im.problems, annotation.Problemf(code, format+"; left out", args...))
	}
	switch {
	case len(h.Name) > annotation.MaxName:
		im.Name = strings.ToValidUTF8(h.Name[:200], "") + "..."
		leaveOut(codeInvalidName, "an image name of %d bytes, more than %d",
			len(h.Name), annotation.MaxName)
	case !naming.IsRelativePath(h.Name):
		leaveOut(codeInvalidName,
			"an empty, \".\" or \"..\" path segment in image name %.200q", h.Name)
	}
	sized := h.Width > 0 && h.Height > 0 &&
		h.Width <= annotation.MaxSide && h.Height <= annotation.MaxSide
	if !sized || h.Width*h.Height > annotation.MaxPixels {
		leaveOut(codeInvalidImage, "width and height are missing or not usable")
	}
	im.leftOut = !im.problems.empty()
	return im
}

// addSubset adds a subset that is new. It returns one string for all
// images of a subset. It returns an error if the name cannot be part of
// a file name, or differs from another one only in case.
func (d *dataset) addSubset(name string) (string, *annotation.DocumentError) {
	if i := slices.Index(d.subsets, name); i >= 0 {
		return d.subsets[i], nil
	}
	invalid := func(format string, args ...any) (string, *annotation.DocumentError) {
		return "", &annotation.DocumentError{
			Code: "InvalidSubset", Detail: fmt.Sprintf(format, args...),
			Fix: "Rename the subset and export the annotations again.",
		}
	}
	if len(name) > annotation.MaxSubsetName || !naming.IsRelativePath(name) ||
		strings.Contains(name, "/") || naming.Safe(name) != name {
		return invalid("subset %.100q cannot be a file name", name)
	}
	for _, other := range d.subsets {
		if naming.Fold(other) == naming.Fold(name) {
			return invalid("subsets %q and %q differ only in case", other, name)
		}
	}
	if len(d.subsets) == annotation.MaxSubsets {
		return "", &annotation.DocumentError{
			Code: "TooLarge", Detail: fmt.Sprintf("more than %d subsets", annotation.MaxSubsets),
			Fix: "Export the project's tasks one by one.",
		}
	}
	d.subsets = append(d.subsets, name)
	return name, nil
}
