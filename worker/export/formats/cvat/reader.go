// Package cvat reads annotations in the format CVAT for images 1.1:
// the annotations.xml of a task, a project or a job.
//
// It knows CVAT's XML and nothing of what the annotations become. Ids
// such as CVAT-06 name the rules that the tests check.
package cvat

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

const (
	maxDocument = 1 << 30 // bytes of XML
	maxElement  = 1 << 26 // bytes of the labels, or of one shape
	maxShapes   = 100_000 // on one image
)

// Reader streams a document: call Schema first, then Next and Shapes
// in turn. It resolves no entities and rejects a DOCTYPE. Its errors
// are *annotation.DocumentError, or those of the underlying reader.
type Reader struct {
	dec    *xml.Decoder
	budget *budget
	subset string // of images that name none
	schema annotation.Schema
	inside bool // the end of the image that Next returned last was not read yet
}

// NewReader returns a reader of a document.
func NewReader(r io.Reader) *Reader {
	b := &budget{r: r, total: maxDocument, element: maxElement, perElement: maxElement}
	return &Reader{dec: xml.NewDecoder(bufio.NewReaderSize(b, 1<<16)), budget: b}
}

// Next returns the next image, and io.EOF after the last. It skips
// the shapes of the image before, if they were not read.
func (r *Reader) Next() (annotation.Image, error) {
	if r.inside {
		r.inside = false
		if err := r.skip(); err != nil {
			return annotation.Image{}, err
		}
	}
	for {
		start, err := r.child()
		switch {
		case err != nil:
			return annotation.Image{}, err
		case start == nil:
			return annotation.Image{}, r.end()
		case start.Name.Local == "image":
			r.inside = true
			return r.image(start.Attr), nil
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

// Shapes calls do for each shape of the image that Next returned
// last: with the shape, or with the problem that it has. An error of
// do ends the loop.
func (r *Reader) Shapes(do func(annotation.Shape, *annotation.Problem) error) error {
	r.inside = false
	for count := 0; ; count++ {
		start, err := r.child()
		if err != nil || start == nil {
			return err
		}
		if count == maxShapes {
			return r.tooLarge(fmt.Sprintf("an image with more than %d shapes", maxShapes),
				"Split the image's annotations.")
		}
		e := element{kind: start.Name.Local, attrs: start.Attr, line: r.Line()}
		if e.attributes, err = r.attributes(start); err != nil {
			return err
		}
		if err := do(e.shape(&r.schema)); err != nil {
			return err
		}
	}
}

// Line returns the number of the line that is being read, from 1.
func (r *Reader) Line() int {
	line, _ := r.dec.InputPos()
	return line
}

// attributes reads the rest of an image's child and returns its
// attributes.
func (r *Reader) attributes(start *xml.StartElement) ([]annotation.Attribute, error) {
	if start.Name.Local == "skeleton" { // its children are shapes, and all are unsupported
		return nil, r.skip()
	}
	var body struct {
		Attributes []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:",chardata"`
		} `xml:"attribute"`
	}
	if err := r.dec.DecodeElement(&body, start); err != nil {
		return nil, r.explain(err)
	}
	list := make([]annotation.Attribute, len(body.Attributes))
	for i, a := range body.Attributes {
		list[i] = annotation.Attribute{Name: a.Name, Value: a.Value}
	}
	return list, nil
}

// child returns the next element inside the current one, or nil at
// its end. Each child has the whole budget of an element.
func (r *Reader) child() (*xml.StartElement, error) {
	for {
		r.budget.element = r.budget.perElement
		token, err := r.dec.Token()
		if err != nil {
			return nil, r.explain(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			return &t, nil
		case xml.EndElement:
			return nil, nil
		case xml.Directive:
			return nil, r.malformed("a DOCTYPE, which this worker does not process")
		}
	}
}

// skip reads to the end of the element that child returned last. Its
// children together may exceed the budget of an element.
func (r *Reader) skip() error {
	for depth := 1; depth > 0; {
		start, err := r.child()
		switch {
		case err != nil:
			return err
		case start == nil:
			depth--
		default:
			depth++
		}
	}
	return nil
}

// end reads what follows the root element and returns io.EOF. Only
// white space and comments may follow.
func (r *Reader) end() error {
	for {
		token, err := r.dec.Token()
		switch {
		case errors.Is(err, io.EOF):
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
