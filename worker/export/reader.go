package export

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	maxDocument = 1 << 30 // bytes of XML
	maxElement  = 1 << 26 // bytes of the labels, or of one shape
	maxShapes   = 100_000 // on one image
)

// malformed is why a document cannot be used at all.
type malformed struct {
	code   string // MalformedAnnotations, unless there is something better to say
	line   int
	detail string
	fix    string
}

// Error implements error.
func (m *malformed) Error() string { return fmt.Sprintf("line %d: %s", m.line, m.detail) }

// reader streams a CVAT for images 1.1 document: schema first, then next and
// elements in turn. It resolves no entities and refuses a DOCTYPE. Its errors
// are *malformed, or those of the underlying reader.
type reader struct {
	dec    *xml.Decoder
	budget *budget
	schema schema
	inside bool // of an image whose end was not read yet
}

func newReader(r io.Reader) *reader {
	b := &budget{r: r, total: maxDocument, element: maxElement, each: maxElement}
	return &reader{dec: xml.NewDecoder(bufio.NewReaderSize(b, 1<<16)), budget: b}
}

// next gives the next image, skipping what was not read of the one before,
// and io.EOF after the last.
func (r *reader) next() (header, error) {
	if r.inside {
		r.inside = false
		if err := r.skip(); err != nil {
			return header{}, err
		}
	}
	for {
		start, err := r.child()
		switch {
		case err != nil:
			return header{}, err
		case start == nil:
			return header{}, r.end()
		case start.Name.Local == "image":
			r.inside = true
			return r.header(start.Attr), nil
		case start.Name.Local == "track":
			return header{}, r.fail("NotImageAnnotations", "there is a <track>: this is CVAT for video, not CVAT for images",
				"Export the task from CVAT as CVAT for images 1.1.")
		}
		if err := r.skip(); err != nil {
			return header{}, err
		}
	}
}

// element is a child of an image, as it stands in the document.
type element struct {
	kind       string // for example box
	attrs      []xml.Attr
	attributes []attribute
	line       int
}

// elements calls do for each child of the image that next gave last. An error
// of do ends it.
func (r *reader) elements(do func(element) error) error {
	r.inside = false
	for count := 0; ; count++ {
		start, err := r.child()
		if err != nil || start == nil {
			return err
		}
		if count == maxShapes {
			return r.fail("TooLarge", fmt.Sprintf("an image with more than %d shapes", maxShapes), "Split the image's annotations.")
		}
		e := element{kind: start.Name.Local, attrs: start.Attr, line: r.line()}
		if e.attributes, err = r.attributes(start); err != nil {
			return err
		}
		if err := do(e); err != nil {
			return err
		}
	}
}

func (r *reader) attributes(start *xml.StartElement) ([]attribute, error) {
	if start.Name.Local == "skeleton" { // its children are shapes; they go as it goes
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
	list := make([]attribute, len(body.Attributes))
	for i, a := range body.Attributes {
		list[i] = attribute{name: a.Name, value: a.Value}
	}
	return list, nil
}

// child gives the next element inside the one being read, or nil at its end.
// Each child has the whole element budget.
func (r *reader) child() (*xml.StartElement, error) {
	for {
		r.budget.element = r.budget.each
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
			return nil, r.fail("", "a DOCTYPE, which this worker does not process", "")
		}
	}
}

// skip reads past the element that child gave last, whose children may
// together exceed the element budget.
func (r *reader) skip() error {
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

// end reads what follows the root, where only white space and comments may
// be.
func (r *reader) end() error {
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
			return r.fail("", "content after </annotations>", "")
		}
	}
}

func (r *reader) line() int {
	line, _ := r.dec.InputPos()
	return line
}

const exportAgain = "Export the task or project from CVAT as CVAT for images 1.1 and store its annotations.xml unchanged."

func (r *reader) fail(code, detail, fix string) error {
	if code == "" {
		code = "MalformedAnnotations"
	}
	if fix == "" {
		fix = exportAgain
	}
	return &malformed{code, r.line(), detail, fix}
}

// explain tells a broken document from a reader that failed or had too much
// to give.
func (r *reader) explain(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(r.budget.err, errBudget):
		return r.fail("TooLarge", r.budget.err.Error(), "Export fewer images at a time, for example job by job.")
	case r.budget.err != nil && !errors.Is(r.budget.err, io.EOF):
		return r.budget.err
	case errors.As(err, &syntax):
		return r.fail("", "not well-formed XML: "+syntax.Msg, "")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return r.fail("", "the document ends early", "")
	}
	return r.fail("", err.Error(), "")
}

var errBudget = errors.New("too large")

// budget reads until the document, or the element being read, has had more
// bytes than it may.
type budget struct {
	r              io.Reader
	total, element int64 // bytes left
	each           int64 // what element starts from
	err            error // how reading ended
}

// Read implements io.Reader.
func (b *budget) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.total -= int64(n)
	b.element -= int64(n)
	switch {
	case b.total < 0:
		err = fmt.Errorf("%w: more than %d bytes of XML", errBudget, maxDocument)
	case b.element < 0:
		err = fmt.Errorf("%w: one element with more than %d bytes", errBudget, b.each)
	}
	if err != nil {
		b.err = err
	}
	return n, err
}
