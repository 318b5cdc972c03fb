// Package tongue holds the APIs of S3, Google Cloud Storage and Azure
// Blob Storage, as far as a server needs them that answers requests
// with something wrong: what a request asks for, and the right answer
// in pieces.
//
// It checks no credentials and stores nothing.
package tongue

import (
	"net/http"
	"strconv"
	"strings"
)

// Op is what a request asks for, under one name in all APIs.
type Op string

// The operations. The last four before Token and Other are those of
// a large upload.
const (
	List   Op = "list"
	Stat   Op = "stat"
	Get    Op = "get"
	Put    Op = "put"
	Start  Op = "start"
	Part   Op = "part"
	Finish Op = "finish"
	Token  Op = "token" // a sign-in
	Other  Op = "other" // an operation that is refused
)

// Call is what a request asks for.
type Call struct {
	Op     Op
	Bucket string // of Token: the account, or the role
	Key    string

	Prefix string // List: keys to list begin with it
	After  string // List: keys to list come after it
	Token  string // List: the page to continue with

	// Offset and Length are what to read; Length 0 means all. Of Part
	// and Finish, Offset is where the part belongs.
	Offset, Length int64

	Host string // that the request was sent to
}

// Object is an object in a listing. All fields are texts, so that
// they can be wrong.
type Object struct{ Key, Size, ETag string }

// Answer is an answer whose body is in pieces: a listing has an item
// for each object, and an error has its message as item.
type Answer struct {
	Status int
	Header map[string]string
	Head   string
	Items  []string
	Tail   string
}

// Body returns the whole body.
func (a Answer) Body() string { return a.Head + strings.Join(a.Items, "") + a.Tail }

// Tongue is the API of one cloud.
type Tongue interface {
	// Parse reads a request. It may read the body.
	Parse(r *http.Request) Call
	// Page answers a listing. next is the token of the next page;
	// empty on the last one.
	Page(c Call, objects []Object, next string) Answer
	// Object answers Stat and Get of an object.
	Object(c Call, content []byte) Answer
	// Stored answers a successful upload, or a part of one, after n
	// bytes have arrived with it.
	Stored(c Call, n int64) Answer
	// Nothing returns an item of a listing without any field. With null
	// it is JSON's null, where the API has that.
	Nothing(null bool) string
	// Refusal answers with an error.
	Refusal(c Call, status int, message string) Answer
}

// Named returns the APIs by the names of Stevedore's providers.
func Named() map[string]Tongue {
	return map[string]Tongue{"s3": s3{}, "gcs": gcs{}, "azure": azure{}}
}

const (
	etag     = `"5d41402abc4b2a76b9719d911017c592"`
	modified = "Fri, 02 Jan 2026 03:04:05 GMT"
	instant  = "2026-01-02T03:04:05.000Z"
	number   = "1767323045000000" // a generation
)

// content makes the answer to a read, or to a part of one.
func (c Call) content(data []byte, header map[string]string) Answer {
	a := Answer{Status: http.StatusOK, Header: header}
	size := int64(len(data))
	first, end := min(c.Offset, size), size
	if c.Length > 0 {
		end = min(size, first+c.Length)
	}
	if c.Offset > 0 || c.Length > 0 {
		if first == end {
			return Answer{Status: http.StatusRequestedRangeNotSatisfiable, Header: header}
		}
		a.Status = http.StatusPartialContent
		header["Content-Range"] = "bytes " + strconv.FormatInt(first, 10) + "-" +
			strconv.FormatInt(end-1, 10) + "/" + strconv.FormatInt(size, 10)
	}
	header["Content-Type"], header["Last-Modified"] = "image/jpeg", modified
	if c.Op == Stat {
		header["Content-Length"] = strconv.FormatInt(size, 10)
		return a
	}
	a.Items = []string{string(data[first:end])}
	return a
}

// withRange returns the call with the range of a header, for example
// "bytes=0-99" or "bytes=5-".
func (c Call) withRange(header string) Call {
	from, to, _ := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	c.Offset, _ = strconv.ParseInt(from, 10, 64)
	if last, err := strconv.ParseInt(to, 10, 64); err == nil {
		c.Length = last - c.Offset + 1
	}
	return c
}
