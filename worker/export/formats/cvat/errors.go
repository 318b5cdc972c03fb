package cvat

import (
	"encoding/xml"
	"errors"
	"io"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// fix is what the user can do about a document in another format.
const fix = "Export the task or project from CVAT as CVAT for images 1.1 " +
	"and store its annotations.xml unchanged."

// malformed returns the error of a document that is not in this
// format.
func (c *cursor) malformed(detail string) error {
	return c.located(&annotation.DocumentError{
		Code: "MalformedAnnotations", Detail: detail, Fix: fix,
	})
}

// tooLarge returns the error of a document that exceeds a limit.
func (c *cursor) tooLarge(limit int, what string) error {
	return c.located(annotation.TooLarge(limit, what))
}

// located adds to an error the line and the image that are being read.
func (c *cursor) located(bad *annotation.DocumentError) error {
	if bad.Line == 0 {
		bad.Line = c.Line()
	}
	bad.Image = c.image
	return bad
}

// explain turns an error of the XML decoder into a DocumentError,
// unless the underlying reader has failed.
func (c *cursor) explain(err error) error {
	var syntax *xml.SyntaxError
	var bad *annotation.DocumentError
	switch source := c.source.Err(); {
	case errors.As(source, &bad):
		if bad.Fix == "" {
			bad.Fix = fix
		}
		return c.located(bad)
	case source != nil && !errors.Is(source, io.EOF):
		return source
	case errors.As(err, &syntax):
		return c.malformed("not well-formed XML: " + syntax.Msg)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return c.malformed("the document ends early")
	}
	return c.malformed(err.Error())
}
