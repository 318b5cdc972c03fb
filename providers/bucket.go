// Package providers defines what a bucket is for the author of a job:
// the interface that every provider implements, the errors that all of
// them return, the registry that finds a provider by name, and the
// secrets that payloads refer to.
//
// It knows no cloud. The clouds are in the packages s3, gcs, azure,
// file and mem, which never import each other. Package providertest has
// the test suite that each of them passes. What their authors need is
// in package driver.
//
// Jobs do not get a provider's bucket itself but one in several
// wrappers. Their order is decided in one place: package network,
// stack.go.
package providers

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// Bucket holds objects. Every method is safe for concurrent use,
// returns an *Error when it fails, and gives up when ctx ends.
type Bucket interface {
	// List yields the objects whose keys start with opts.Prefix, in the
	// bucket's own order (see OrderOf), each once. It does not collect
	// them first: a break in the loop stops the paging. After an error
	// it yields nothing more. A server that lists in none of the orders
	// of package keyorder is Invalid, with the code UnorderedListing.
	List(ctx context.Context, opts ListOptions) iter.Seq2[Object, error]
	// Stat describes an object without reading it. A missing object is
	// NotFound.
	Stat(ctx context.Context, key string) (Object, error)
	// Open reads an object or a range of it. If the server ends the
	// body early, the reader fails with Unavailable. The caller closes
	// the reader.
	Open(ctx context.Context, key string, opts ReadOptions) (*Reader, error)
	// Put stores body, of any length, whole or not at all: if body or
	// ctx fails, the key holds what it held before. A second call with
	// the same body leaves the same content. Put cannot interrupt a
	// Read of body, so that must itself end with ctx. The Object it
	// returns may lack ModTime, because not every cloud returns it.
	Put(ctx context.Context, key string, body io.Reader, opts WriteOptions) (Object, error)
	// Delete removes an object. A missing object is no error.
	Delete(ctx context.Context, key string) error
	// Close frees the bucket's resources. It does not wait for calls
	// that are still running.
	Close() error
}

// Object describes an object, as a listing does.
type Object struct {
	Key     string
	Size    int64     // bytes
	ETag    string    // another one after every change of the content; opaque, without quotes
	ModTime time.Time // exact to a second or better
}

// Reader reads an object, or the range that was asked for.
type Reader struct {
	io.ReadCloser
	Object Object // describes the whole object, its Size too
}

// ListOptions narrows a listing. The zero value lists everything.
type ListOptions struct {
	Prefix string // only keys that start with it
	// After and Through are positions in the bucket's own order: only
	// keys behind After and none behind Through. The keys need not
	// exist. An empty one means no bound.
	//
	// As long as several orders fit the bucket, they may disagree on
	// whether a key lies within the bounds. Such a key is listed. So a
	// listing may return a few keys too many, but only if After or
	// Through has been deleted. It never lacks one.
	After, Through string
	// Order is what the caller knows of the bucket's order, for example
	// from an earlier listing; 0 if nothing.
	Order keyorder.Order
	// Direct asks for an error if the provider cannot start at After
	// but would have to list and skip everything before it.
	Direct bool
}

// ReadOptions selects a part or a version. The zero value reads the
// whole object.
type ReadOptions struct {
	// Offset is the first byte. At or past the end of an object it is
	// Invalid, unless the object is empty: then the body is empty.
	Offset int64
	// Length is the number of bytes; 0 means all to the end. The body
	// is shorter if the object ends before.
	Length int64
	// IfMatch is an ETag. If the object has another one, the error is a
	// Conflict.
	IfMatch string
}

// WriteOptions sets conditions for a write. The zero value overwrites.
// A Conflict can come from the caller's own write: the first answer was
// lost and the request was sent again. A caller that must know compares
// the object's content with its own.
type WriteOptions struct {
	ContentType string // empty means application/octet-stream
	IfAbsent    bool   // Conflict if the key exists
	IfMatch     string // an ETag; Conflict if the object has another or is missing
}
