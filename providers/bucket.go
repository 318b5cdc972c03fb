// Package providers defines what a bucket is for the author of a job: the
// interface that every provider implements, the errors that all of them
// return, the registry that finds a provider by name, and the secrets that
// payloads refer to.
//
// It knows no cloud. The clouds are in the packages s3, gcs, azure, file and
// mem, which never import each other. Package providertest has the test suite
// that each of them passes. What their authors need is in package driver.
//
// Jobs do not get a provider's bucket itself but one in several wrappers.
// Their order is decided in one place: package network, stack.go.
package providers

import (
	"context"
	"io"
	"iter"
	"time"
)

// Bucket is a place that holds objects. Every method may be called at once
// from many goroutines, returns an *Error when it fails, and gives up when
// ctx ends.
type Bucket interface {
	// List yields the objects whose keys start with opts.Prefix in ascending
	// byte order of their keys, each once, without collecting them first.
	// Breaking off the loop stops the paging. After an error nothing more is
	// yielded.
	List(ctx context.Context, opts ListOptions) iter.Seq2[Object, error]
	// Stat tells about one object without reading it. A missing object is
	// NotFound.
	Stat(ctx context.Context, key string) (Object, error)
	// Open reads an object or a range of it. The reader fails with
	// Unavailable when the server ends the body early. The caller closes it.
	Open(ctx context.Context, key string, opts ReadOptions) (*Reader, error)
	// Put stores body, of any length, whole or not at all: when body or ctx
	// fails, the key holds what it held before. Calling it twice with the
	// same body leaves the same content. A body that waits for something must
	// itself heed ctx. ModTime may be missing from the Object it returns: not
	// every cloud tells it.
	Put(ctx context.Context, key string, body io.Reader, opts WriteOptions) (Object, error)
	// Delete removes an object. Removing one that is missing is no error.
	Delete(ctx context.Context, key string) error
	// Close frees what the bucket holds. It does not wait for calls under
	// way.
	Close() error
}

// Object is what a listing tells about an object.
type Object struct {
	Key     string
	Size    int64     // bytes
	ETag    string    // changes whenever the content does; opaque, without quotes
	ModTime time.Time // to the second at least
}

// Reader is the body of an object, or of the range that was asked for.
type Reader struct {
	io.ReadCloser
	Object Object // of the whole object; Size is its whole size
}

// ListOptions narrows a listing. The zero value lists everything.
type ListOptions struct {
	Prefix  string // only keys that start with it
	After   string // only keys greater than it
	Through string // no keys greater than it; empty means no bound
	// Direct asks for an error rather than for patience where listing from
	// After on would mean to read what comes before it too and to skip it.
	Direct bool
}

// ReadOptions asks for a part or a version. The zero value reads the whole
// object.
type ReadOptions struct {
	Offset  int64  // first byte; at or past the end of a non-empty object it is Invalid, of an empty one an empty body
	Length  int64  // bytes; 0 means to the end; less is returned where the object ends
	IfMatch string // an ETag; Conflict when the object has another
}

// WriteOptions guards a write. The zero value overwrites. A Conflict can also
// be one's own write, whose answer was lost on the way and which was sent
// again: whoever must know compares what the key holds with what was written.
type WriteOptions struct {
	ContentType string // empty means application/octet-stream
	IfAbsent    bool   // Conflict when the key exists
	IfMatch     string // an ETag; Conflict when the object has another or is missing
}
