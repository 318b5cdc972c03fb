// Package formats finds the formats of annotations that can be read
// and written. Each format has its own folder and one line in the
// table.
//
// A format knows package annotation and neither another format nor a
// bucket.
package formats

import (
	"context"
	"io"
	"slices"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/export/formats/coco"
	"github.com/stevedore-jobs/stevedore/worker/export/formats/cvat"
)

// Reader reads one document of annotations in a stream, from its
// start to its end. Its errors are *annotation.DocumentError, or
// those of the stream. Between two reads of the stream it does little:
// what it holds and does is bounded by the limits of package
// annotation.
type Reader interface {
	// Schema reads what the document declares. It must be called
	// first.
	Schema() (annotation.Schema, error)
	// Next returns the next image, and io.EOF after the last.
	Next() (annotation.Image, error)
	// Shapes calls do for each shape of the image that Next returned
	// last: with the shape, or with the problem that it has. An error
	// of do ends the loop and is returned.
	Shapes(do func(annotation.Shape, *annotation.Problem) error) error
	// Line returns the line that is being read, from 1; 0 if the
	// format has no lines.
	Line() int
}

// Writer writes data sets in one format. It is safe for concurrent
// use.
//
// Archives are sorted. In byte order, all annotation paths must come
// before all image paths, and these before "names.jsonl", which the
// job adds.
type Writer interface {
	// AnnotationsPath returns the path in the data set of the file
	// with a subset's annotations.
	AnnotationsPath(subset string) string
	// ImagePath returns the path in the data set of an image.
	ImagePath(im annotation.Image) string
	// Write writes the file with a subset's annotations. The same
	// subset gives the same bytes. If ctx ends, Write returns the cause
	// soon, also within one shape. It returns a document that exceeds a
	// limit as an *annotation.DocumentError.
	Write(ctx context.Context, w io.Writer, s annotation.Subset) error
}

// format is a line of the table. A format that can only be written
// has no reader, and the reverse.
type format struct {
	name   string // as in payloads
	reader func(io.Reader) Reader
	writer Writer
}

var table = []format{
	{name: tasks.FormatCVATImages, reader: func(r io.Reader) Reader { return cvat.NewReader(r) }},
	{name: tasks.FormatCOCOInstances, writer: coco.Writer{}},
}

// NewReader returns a reader of a document in a format. It returns
// false if the format is unknown or cannot be read.
func NewReader(name string, r io.Reader) (Reader, bool) {
	i := slices.IndexFunc(table, func(f format) bool { return f.name == name && f.reader != nil })
	if i < 0 {
		return nil, false
	}
	return table[i].reader(r), true
}

// FindWriter returns the writer of a format. It returns false if the
// format is unknown or cannot be written.
func FindWriter(name string) (Writer, bool) {
	i := slices.IndexFunc(table, func(f format) bool { return f.name == name && f.writer != nil })
	if i < 0 {
		return nil, false
	}
	return table[i].writer, true
}
