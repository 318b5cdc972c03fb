// Package limits bounds what a server may send, and how slowly. Every
// payload can name any server, so no answer is trusted: not its length,
// not its speed, not its form.
//
// Each request carries an Operation in its context. A table says what
// the answer to that operation may cost: bytes, objects, and values
// that a decoder makes memory for. Transport reads no more than that,
// from any server and for any status. It refuses requests without an
// operation, so nobody can forget the limits.
//
// It knows HTTP, and the syntax of XML and JSON. It knows no cloud.
package limits

import (
	"context"
	"net/http"
)

// Operation says what a request is for, and so what its answer may
// cost.
type Operation int

// The operations. An answer that reports a failure has the same limits
// for all of them: see maxShort.
const (
	// ListXML asks for a page of a listing in XML, of 1,000 objects.
	ListXML Operation = iota + 1
	// LongListXML asks for a page in XML of 5,000 objects.
	LongListXML
	// ListJSON asks for a page of a listing in JSON, of 1,000 objects.
	ListJSON
	// Describe asks for what is known of one object or bucket, in
	// headers or in XML.
	Describe
	// DescribeJSON asks for the same in JSON.
	DescribeJSON
	// Read asks for the content of an object. The caller limits it by
	// the object's own length: see driver.Body.
	Read
	// Write stores an object or a part of it, or completes an upload.
	Write
	// WriteJSON does the same, and is answered in JSON.
	WriteJSON
	// Delete removes an object, or aborts an upload.
	Delete
	// SignIn asks for credentials, or whose they are.
	SignIn
	// Preflight asks what a browser may do.
	Preflight
)

// limit says what the answer to an operation may cost.
type limit struct {
	name   string      // of the operation, as errors call it
	bytes  int64       // of the body; 0 means that the caller limits it
	counts func() form // counts what a decoder makes memory for; nil if nothing does
}

const (
	// maxShort bounds short answers, in bytes. Those of the clouds have
	// a few KB.
	maxShort = 64 << 10
	// maxDescription is more, because a bucket may have 64 KB of CORS
	// rules, and in JSON an object may have 8 KiB of metadata and 100
	// entries about who may read it.
	maxDescription = 256 << 10
	// maxPage bounds a page of 1,000 keys, in bytes. With keys of 1,024
	// bytes, each of them escaped with 6 bytes, it has 6.5 MB.
	maxPage = 8 << 20
	// maxLongPage bounds a page of 5,000 keys. Azure needs about 1,250
	// bytes an object, so 6 MB.
	maxLongPage = 12 << 20
)

// table returns the limits of an operation. Its name is empty if there
// is no such operation.
func table(o Operation) limit {
	switch o {
	case ListXML:
		return limit{"list", maxPage, xmlOf(maxPageTags)}
	case LongListXML:
		return limit{"list", maxLongPage, xmlOf(maxLongPageTags)}
	case ListJSON:
		return limit{"list", maxPage, jsonOf(maxPageItems, maxPageValues)}
	case Describe:
		return limit{"describe", maxDescription, nil}
	case DescribeJSON:
		return limit{"describe", maxDescription, jsonOf(maxNested, maxValues)}
	case Read:
		return limit{"read", 0, nil}
	case Write:
		return limit{"write", maxShort, nil}
	case WriteJSON:
		return limit{"write", maxDescription, jsonOf(maxNested, maxValues)}
	case Delete:
		return limit{"delete", maxShort, nil}
	case SignIn:
		return limit{"sign in", maxShort, nil}
	case Preflight:
		return limit{"preflight", maxShort, nil}
	}
	return limit{}
}

type operationKey struct{}

// For returns a context for requests of an operation. It replaces the
// operation that ctx has.
func For(ctx context.Context, o Operation) context.Context {
	return context.WithValue(ctx, operationKey{}, o)
}

// limitOf returns the limits of a request. It returns false if the
// request carries no operation.
func limitOf(r *http.Request) (limit, bool) {
	o, _ := r.Context().Value(operationKey{}).(Operation)
	l := table(o)
	return l, l.name != ""
}

// Client returns a client that sends every request of c as one of an
// operation. It is for libraries that make contexts of their own.
func Client(c *http.Client, o Operation) *http.Client {
	next := c.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	named := *c
	named.Transport = fixed{next, o}
	return &named
}

type fixed struct {
	next http.RoundTripper
	o    Operation
}

// RoundTrip implements http.RoundTripper.
func (f fixed) RoundTrip(r *http.Request) (*http.Response, error) {
	return f.next.RoundTrip(r.WithContext(For(r.Context(), f.o)))
}
