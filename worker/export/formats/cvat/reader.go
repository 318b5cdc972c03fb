// Package cvat reads annotations in the format CVAT for images 1.1:
// the annotations.xml of a task, a project or a job.
//
// It knows CVAT's XML and nothing of what the annotations become. What
// it holds in memory is bounded by the limits of package annotation.
// Ids such as CVAT-06 name the rules that the tests check.
package cvat

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// Reader streams a document: call Schema first, then Next and Shapes
// in turn. It resolves no entities and rejects a DOCTYPE. Its errors
// are *annotation.DocumentError, or those of the underlying reader.
type Reader struct {
	cursor
	subset  string // of images that name none
	schema  annotation.Schema
	current annotation.Image // that Next returned last
	inside  bool             // its end was not read yet
}

// NewReader returns a reader of a document.
func NewReader(r io.Reader) *Reader { return &Reader{cursor: newCursor(r)} }

// Next returns the next image, and io.EOF after the last. It skips
// the shapes of the image before, if they were not read.
func (r *Reader) Next() (annotation.Image, error) {
	if r.inside {
		if err := r.skip(); err != nil {
			return annotation.Image{}, err
		}
		r.leave()
	}
	for {
		start, err := r.child()
		switch {
		case err != nil:
			return annotation.Image{}, err
		case start == nil:
			return annotation.Image{}, r.end()
		case start.Name.Local == "image":
			r.current = r.readImage(start.Attr)
			r.inside, r.image = true, r.current.Name
			return r.current, nil
		case start.Name.Local == "track":
			return annotation.Image{}, &annotation.DocumentError{
				Code: "NotImageAnnotations", Line: r.Line(),
				Detail: "there is a <track>: this is CVAT for video, not CVAT for images",
				Fix:    "Export the task from CVAT as CVAT for images 1.1.",
			}
		}
		if err := r.skip(); err != nil {
			return annotation.Image{}, err
		}
	}
}

// leave notes that the end of the image was read.
func (r *Reader) leave() { r.inside, r.image = false, "" }

// Shapes calls do for each shape of the image that Next returned
// last: with the shape, or with the problem that it has. An error of
// do ends the loop.
func (r *Reader) Shapes(do func(annotation.Shape, *annotation.Problem) error) error {
	for count := 0; ; count++ {
		start, err := r.child()
		if err != nil {
			return err
		}
		if start == nil {
			r.leave()
			return nil
		}
		if count == annotation.MaxShapes {
			return r.tooLarge(annotation.MaxShapes, "shapes on one image")
		}
		e := element{kind: start.Name.Local, attrs: start.Attr, line: r.Line()}
		if err := r.readAttributes(&e); err != nil {
			return err
		}
		if err := do(e.shape(&r.schema, r.current)); err != nil {
			return err
		}
	}
}

// readAttributes reads the rest of an image's child, with its
// attributes.
func (r *Reader) readAttributes(e *element) error {
	if e.kind == "skeleton" { // its children are shapes, and all are unsupported
		return r.skip()
	}
	room := annotation.MaxText
	for {
		start, err := r.child()
		if err != nil || start == nil {
			return err
		}
		if start.Name.Local != "attribute" {
			if err := r.skip(); err != nil {
				return err
			}
			continue
		}
		name := attribute(start.Attr, "name")
		value, fits, err := r.text(room - len(name))
		if err != nil {
			return err
		}
		room -= len(name) + len(value)
		e.add(annotation.Attribute{Name: name, Value: value}, fits)
	}
}

// end reads what follows the root element and returns io.EOF. Only
// white space and comments may follow.
func (r *Reader) end() error {
	for {
		token, err := r.dec.Token()
		switch {
		case errors.Is(err, io.EOF) && errors.Is(r.source.Err(), io.EOF):
			return io.EOF
		case err != nil:
			return r.explain(err)
		}
		_, more := token.(xml.StartElement)
		text, _ := token.(xml.CharData)
		if more || strings.TrimSpace(string(text)) != "" {
			return r.malformed("content after </annotations>")
		}
	}
}
