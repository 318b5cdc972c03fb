// Package boundedxml bounds an XML document from a stranger before
// encoding/xml reads it.
//
// encoding/xml holds a whole tag, comment or piece of text in memory,
// and an entry for each element that is open. A Reader in front of it
// ends the document where it exceeds a limit of package annotation, or
// has a DOCTYPE. It changes no byte. It follows the document only as
// far as it must to tell tags from text, and leaves it to encoding/xml
// to refuse what is not well-formed.
package boundedxml

import (
	"bytes"
	"io"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// Reader passes a document on until it exceeds a limit.
type Reader struct {
	from  io.Reader
	limit limits
	err   error // what ended the document

	size, line, elements, depth int // so far
	token                       token
}

// limits are those of package annotation, or smaller ones in tests.
type limits struct{ document, elements, depth, fields, names, token int }

// NewReader returns a reader of a document.
func NewReader(r io.Reader) *Reader {
	return &Reader{from: r, limit: limits{
		document: annotation.MaxDocument, elements: annotation.MaxElements,
		depth: annotation.MaxDepth, fields: annotation.MaxFields,
		names: annotation.MaxTagNames, token: annotation.MaxToken,
	}}
}

// Err returns what ended the document: io.EOF, an
// *annotation.DocumentError with its line, or an error of the
// underlying reader. Before the end it returns nil.
func (r *Reader) Err() error { return r.err }

// Read implements io.Reader. With the error it returns the bytes up to
// where the limit is exceeded.
func (r *Reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.from.Read(p)
	for passed := 0; passed < n; {
		step := r.token.pass(p[passed:min(n, passed+r.room())])
		r.size += step
		passed += step
		if bad := r.check(); bad != nil {
			bad.Line = r.line + bytes.Count(p[:passed], []byte{'\n'}) + 1
			r.err = bad
			return passed, bad
		}
	}
	r.line += bytes.Count(p[:n], []byte{'\n'})
	r.err = err
	return n, err
}

// room returns how many bytes may come until a limit is exceeded, with
// the one that exceeds it.
func (r *Reader) room() int {
	room := min(r.limit.document-r.size, r.limit.token-r.token.size)
	if r.token.state == inTag {
		room = min(room, r.limit.names-r.token.names)
	}
	return room + 1
}

// check returns the limit that is exceeded now, or nil.
func (r *Reader) check() *annotation.DocumentError {
	t, limit := &r.token, &r.limit
	r.elements += t.opened
	r.depth += t.opened - t.closed
	t.opened, t.closed = 0, 0
	switch {
	case t.state == inDirective:
		return &annotation.DocumentError{
			Code: "MalformedAnnotations", Detail: "a DOCTYPE, which this worker does not process",
		}
	case r.size > limit.document:
		return annotation.TooLarge(limit.document, "bytes of XML")
	case t.size > limit.token:
		return annotation.TooLarge(limit.token, "bytes in one tag, comment or piece of text")
	case t.names > limit.names:
		return annotation.TooLarge(limit.names,
			"bytes in one tag beside the values of its attributes")
	case t.fields > limit.fields:
		return annotation.TooLarge(limit.fields, "attributes of one XML element")
	case r.elements > limit.elements:
		return annotation.TooLarge(limit.elements, "XML elements")
	case r.depth > limit.depth:
		return annotation.TooLarge(limit.depth, "XML elements inside each other")
	}
	return nil
}
