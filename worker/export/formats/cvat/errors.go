package cvat

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// malformed returns the error of a document that is not in this
// format.
func (r *Reader) malformed(detail string) error {
	return &annotation.DocumentError{
		Code: "MalformedAnnotations", Line: r.Line(), Detail: detail,
		Fix: "Export the task or project from CVAT as CVAT for images 1.1 " +
			"and store its annotations.xml unchanged.",
	}
}

func (r *Reader) tooLarge(detail, fix string) error {
	return &annotation.DocumentError{Code: "TooLarge", Line: r.Line(), Detail: detail, Fix: fix}
}

// explain turns an error of the XML decoder into a DocumentError,
// unless the underlying reader has failed.
func (r *Reader) explain(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(r.budget.err, errBudget):
		return r.tooLarge(r.budget.err.Error(),
			"Export fewer images at a time, for example job by job.")
	case r.budget.err != nil && !errors.Is(r.budget.err, io.EOF):
		return r.budget.err
	case errors.As(err, &syntax):
		return r.malformed("not well-formed XML: " + syntax.Msg)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return r.malformed("the document ends early")
	}
	return r.malformed(err.Error())
}

var errBudget = errors.New("too large")

// budget is a reader that fails when the document, or the current
// element, is too large.
type budget struct {
	r              io.Reader
	total, element int64 // bytes left
	perElement     int64 // what element starts from
	err            error // the error of the last read
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
		err = fmt.Errorf("%w: one element with more than %d bytes", errBudget, b.perElement)
	}
	if err != nil {
		b.err = err
	}
	return n, err
}
