package tasks

import (
	"fmt"
	"slices"
	"strings"
)

// ExportAnnotations turns annotations into a data set that training tools
// load, and streams it to a bucket as a zip.
type ExportAnnotations struct {
	Terms

	// Source holds the images.
	Source Storage `json:"source"`
	// Annotations says where the annotations are.
	Annotations Annotations `json:"annotations"`
	// Format is what to make: coco-instances.
	Format string `json:"format"`
	// Destination is where the zip goes; the source when absent.
	Destination *Storage `json:"destination,omitempty"`
	// Key is the zip's key.
	Key string `json:"key"`
	// IncludeImages puts the images into the zip, beside the annotations.
	IncludeImages bool `json:"include_images,omitempty"`
}

// Annotations is an object that holds annotations.
type Annotations struct {
	Storage *Storage `json:"storage,omitempty"` // where it is; the source when absent
	Key     string   `json:"key"`
	Format  string   `json:"format"` // cvat-images-1.1: CVAT for images 1.1, its annotations.xml
	// ImageDirectory is put before the image names in the annotations to make
	// keys; CVAT names an image of a cloud storage by its whole key, so it is
	// empty by default.
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

// Kind implements Job.
func (ExportAnnotations) Kind() string { return "export-annotations" }

// Target is where the zip goes.
func (j ExportAnnotations) Target() (Storage, string) { return target(j.Source, j.Destination), j.Key }

// Input is where the annotations are.
func (j ExportAnnotations) Input() (Storage, string) {
	return target(j.Source, j.Annotations.Storage), j.Annotations.Key
}

// Validate implements Job.
func (j ExportAnnotations) Validate() error {
	f := newFaults()
	j.Source.check(f.in("source"))
	if j.Destination != nil {
		j.Destination.check(f.in("destination"))
	}
	in := f.in("annotations")
	if j.Annotations.Storage != nil {
		j.Annotations.Storage.check(in.in("storage"))
	}
	if in.need("key", j.Annotations.Key) {
		in.key("key", j.Annotations.Key)
		from, key := j.Input()
		in.inside("key", from, key)
	}
	in.oneOf("format", j.Annotations.Format, inputFormats)
	in.directory("image_directory", j.Annotations.ImageDirectory)
	f.oneOf("format", j.Format, outputFormats)
	if f.need("key", j.Key) {
		to, key := j.Target()
		f.output("key", to, key, ".zip")
	}
	j.Terms.check(f)
	return f.err(j.Kind())
}

func (j ExportAnnotations) mapSecrets(m *secretMap) Job {
	m.storage(&j.Source)
	m.optional(&j.Annotations.Storage)
	m.optional(&j.Destination)
	return j
}

// ExportAnnotationsResult tells what the zip holds.
type ExportAnnotationsResult struct {
	Key         string `json:"key"`         // of the zip
	Format      string `json:"format"`      // of its content
	Images      int64  `json:"images"`      // described in it
	Annotations int64  `json:"annotations"` // objects marked on them
	Categories  int64  `json:"categories"`  // labels, the unused ones too
	Failed      int64  `json:"failed"`      // lines on the error list
	Size        int64  `json:"size"`        // of the zip, bytes
	SHA256      string `json:"sha256"`      // of the zip, hex; the same input gives the same zip
}

// Kind implements Result.
func (ExportAnnotationsResult) Kind() string { return ExportAnnotations{}.Kind() }

// Summary implements Result.
func (r ExportAnnotationsResult) Summary() string {
	return fmt.Sprintf("%d annotations on %d images in %s, %d failed", r.Annotations, r.Images, r.Key, r.Failed)
}

// target is the storage a job writes to: the source unless another is named.
func target(source Storage, destination *Storage) Storage {
	if destination != nil {
		return *destination
	}
	return source
}

// output checks a key that a job will write: canonical, with its ending, and
// inside the directory of the storage's prefix.
func (f faults) output(field string, to Storage, key, ending string) {
	if to.prefixProblem() == "" || !strings.HasPrefix(key, to.Dir()) { // a prefix's fault is not the key's as well
		f.relative(field, strings.TrimSuffix(key, "/"))
	}
	if !strings.HasSuffix(key, ending) {
		f.add(field, "%q must end in %s", key, ending)
	}
	f.inside(field, to, key)
}

func (f faults) oneOf(field, value string, allowed []string) {
	if !slices.Contains(allowed, value) {
		f.add(field, "%q is not supported; there is %s", value, strings.Join(allowed, ", "))
	}
}

func written(unchanged bool) string {
	if unchanged {
		return "unchanged"
	}
	return "written"
}
