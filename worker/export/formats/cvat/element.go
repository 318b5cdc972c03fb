package cvat

import (
	"bufio"
	"encoding/xml"
	"io"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
	"github.com/stevedore-jobs/stevedore/worker/export/boundedxml"
)

// cursor is where in a document it is read. It knows XML alone.
type cursor struct {
	dec    *xml.Decoder
	source *boundedxml.Reader
	image  string // the name of the current image, for errors; empty if none
}

func newCursor(r io.Reader) cursor {
	source := boundedxml.NewReader(r)
	return cursor{dec: xml.NewDecoder(bufio.NewReaderSize(source, 1<<16)), source: source}
}

// Line returns the number of the line that is being read, from 1.
func (c *cursor) Line() int {
	line, _ := c.dec.InputPos()
	return line
}

// child returns the next element inside the current one, or nil at
// its end.
func (c *cursor) child() (*xml.StartElement, error) {
	for {
		token, err := c.dec.Token()
		if err != nil {
			return nil, c.explain(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			return &t, nil
		case xml.EndElement:
			return nil, nil
		}
	}
}

// children calls the function for each child of the current element,
// by the child's name. It must read the child to its end. Children
// without a function are skipped.
func (c *cursor) children(do map[string]func() error) error {
	for {
		start, err := c.child()
		if err != nil || start == nil {
			return err
		}
		read := do[start.Name.Local]
		if read == nil {
			read = c.skip
		}
		if err := read(); err != nil {
			return err
		}
	}
}

// skip reads to the end of the element that child returned last.
func (c *cursor) skip() error {
	for depth := 1; depth > 0; {
		start, err := c.child()
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

// text reads to the end of the element that child returned last, and
// returns its text without that of its children. It returns false if
// the text has more than limit bytes.
func (c *cursor) text(limit int) (text string, ok bool, err error) {
	var b strings.Builder
	ok = true
	for {
		token, err := c.dec.Token()
		if err != nil {
			return "", false, c.explain(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if err := c.skip(); err != nil {
				return "", false, err
			}
		case xml.EndElement:
			return b.String(), ok, nil
		case xml.CharData:
			if ok = ok && b.Len()+len(t) <= limit; ok {
				b.Write(t)
			}
		}
	}
}

// name reads a text that must not be longer than a name, and calls it
// what in the error.
func (c *cursor) name(into *string, what string) error {
	text, ok, err := c.text(annotation.MaxName)
	if err == nil && !ok {
		err = c.tooLarge(annotation.MaxName, "bytes in "+what)
	}
	*into = text
	return err
}
