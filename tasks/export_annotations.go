package tasks

import (
	"fmt"
	"slices"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// ExportAnnotations turns annotations into a data set that training
// tools load, and streams it to a bucket as a zip.
type ExportAnnotations struct {
	Terms

	// Source holds the images.
	Source Storage `json:"source"`
	// Annotations says where the annotations are.
	Annotations Annotations `json:"annotations"`
	// Format is the format to write: coco-instances.
	Format string `json:"format"`
	// Destination is where the zip goes; the source when absent.
	Destination *Storage `json:"destination,omitempty"`
	// Key is the zip's key.
	Key string `json:"key"`
	// IncludeImages puts the images into the zip, beside the
	// annotations.
	IncludeImages bool `json:"include_images,omitempty"`
}

// Annotations is an object that holds annotations.
type Annotations struct {
	Storage *Storage `json:"storage,omitempty"` // the source when absent
	Key     string   `json:"key"`
	Format  string   `json:"format"` // cvat-images-1.1: annotations.xml of CVAT for images 1.1
	// ImageDirectory is put before the image names in the annotations
	// to get their keys. It is empty by default, because CVAT names an
	// image of a cloud storage by its whole key.
	ImageDirectory string `json:"image_directory,omitempty"`
}

// The formats that can be read and written.
const (
	FormatCVATImages    = "cvat-images-1.1"
	FormatCOCOInstances = "coco-instances"
)

var (
	inputFormats  = []string{FormatCVATImages}
	outputFormats = []string{FormatCOCOInstances}
)

// AnnotationFormats returns the formats that can be read and those that
// can be written. The formats of worker/export must be the same.
func AnnotationFormats() (read, written []string) {
	return slices.Clone(inputFormats), slices.Clone(outputFormats)
}

// Kind implements Job.
func (ExportAnnotations) Kind() string { return "export-annotations" }

// Target returns where the zip goes: the storage and the key.
func (j ExportAnnotations) Target() (Storage, string) {
	return destination(j.Source, j.Destination), j.Key
}

// Input returns where the annotations are: the storage and the key.
func (j ExportAnnotations) Input() (Storage, string) {
	return destination(j.Source, j.Annotations.Storage), j.Annotations.Key
}

// Validate implements Job.
func (j ExportAnnotations) Validate() error {
	var errs fields.Errors
	j.Source.Check(errs.In("source"))
	if j.Destination != nil {
		j.Destination.Check(errs.In("destination"))
	}
	j.checkInput(errs.In("annotations"))
	errs.OneOf("format", j.Format, outputFormats)
	if errs.Need("key", j.Key) {
		to, key := j.Target()
		errs.Output("key", to.Dir(), key, ".zip")
	}
	j.CheckTerms(&errs)
	return errs.Err(j.Kind())
}

func (j ExportAnnotations) checkInput(errs *fields.Errors) {
	if j.Annotations.Storage != nil {
		j.Annotations.Storage.Check(errs.In("storage"))
	}
	if errs.Need("key", j.Annotations.Key) {
		from, key := j.Input()
		errs.Key("key", key)
		errs.Inside("key", from.Dir(), key)
	}
	errs.OneOf("format", j.Annotations.Format, inputFormats)
	errs.Directory("image_directory", j.Annotations.ImageDirectory)
}

// ExportAnnotationsResult describes the zip.
type ExportAnnotationsResult struct {
	Key         string `json:"key"`         // of the zip
	Format      string `json:"format"`      // of its content
	Images      int64  `json:"images"`      // described in it
	Annotations int64  `json:"annotations"` // objects marked on them
	Categories  int64  `json:"categories"`  // labels, the unused ones too
	Failed      int64  `json:"failed"`      // images on the error list
	Size        int64  `json:"size"`        // of the zip, bytes
	SHA256      string `json:"sha256"`      // of the zip, hex; the same input gives the same zip
	// Warnings counts the images on the error list that are in the zip
	// all the same.
	Warnings int64 `json:"warnings,omitempty"`
}

// Kind implements Result.
func (ExportAnnotationsResult) Kind() string { return ExportAnnotations{}.Kind() }

// Summary implements Result.
func (r ExportAnnotationsResult) Summary() string {
	text := fmt.Sprintf("%s on %s in %s, %s left out", count(r.Annotations, "annotation"),
		count(r.Images, "image"), r.Key, count(r.Failed-r.Warnings, "image"))
	if r.Warnings > 0 {
		text += fmt.Sprintf(", %s with warnings", count(r.Warnings, "image"))
	}
	return text
}
