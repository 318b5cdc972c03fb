package providers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Answer is a cloud's answer to a read, for providers.
type Answer struct {
	Body   io.ReadCloser
	Object Object  // but for its size
	Length *int64  // Content-Length
	Range  *string // Content-Range; nil when everything was sent
}

// NewReader checks that an answer is what was asked for, and makes it exactly
// that: from a server that ignores ranges, which sends everything, it takes
// the part. fail goes around errors of the body. When NewReader fails, the
// body is closed.
func (a Answer) NewReader(opts ReadOptions, fail func(error) error) (*Reader, error) {
	first, size, err := a.span(opts)
	switch {
	case err != nil:
	case opts.Offset >= size && size > 0:
		err = InvalidRange(opts)
	case first < opts.Offset:
		_, err = io.CopyN(io.Discard, a.Body, min(opts.Offset, size)-first)
	}
	if err != nil {
		_ = a.Body.Close()
		return nil, err
	}
	n := max(0, size-opts.Offset)
	if opts.Length > 0 {
		n = min(n, opts.Length)
	}
	a.Object.Size = size
	return &Reader{ReadCloser: Body(a.Body, n, fail), Object: a.Object}, nil
}

// span is the first byte that an answer holds, and the whole object's size.
func (a Answer) span(opts ReadOptions) (first, size int64, err error) {
	if a.Range == nil {
		if a.Length == nil || *a.Length < 0 {
			return 0, 0, WrongAnswer("the server did not say how long the object is")
		}
		return 0, *a.Length, nil
	}
	first, last, size, ok := contentRange(*a.Range)
	if !ok {
		return 0, 0, WrongAnswer("the server answered with an unreadable Content-Range")
	}
	want := size - 1
	if opts.Length > 0 {
		want = min(want, opts.Offset+opts.Length-1)
	}
	if first != opts.Offset || last != want {
		return 0, 0, WrongAnswer("the server answered with another range than it was asked for")
	}
	return first, size, nil
}

// contentRange reads "bytes 0-99/1234". fmt.Sscanf would take a tenth of a
// read's processor time.
func contentRange(header string) (first, last, size int64, ok bool) {
	span, ok := strings.CutPrefix(header, "bytes ")
	span, whole, found := strings.Cut(span, "/")
	from, to, dash := strings.Cut(span, "-")
	var errs [3]error
	first, errs[0] = strconv.ParseInt(from, 10, 64)
	last, errs[1] = strconv.ParseInt(to, 10, 64)
	size, errs[2] = strconv.ParseInt(whole, 10, 64)
	return first, last, size, ok && found && dash && errors.Join(errs[:]...) == nil
}

// OpenEmpty deals with a refused range, for providers: of an empty object
// every range is refused, and that is not the caller's fault. Any other
// refusal stays what it is.
func OpenEmpty(ctx context.Context, b Bucket, key string, refused error) (*Reader, error) {
	var e *Error
	if !errors.As(refused, &e) || e.Status != http.StatusRequestedRangeNotSatisfiable {
		return nil, refused
	}
	o, err := b.Stat(ctx, key)
	if err != nil || o.Size != 0 {
		return nil, refused
	}
	return &Reader{ReadCloser: http.NoBody, Object: o}, nil
}

// WrongAnswer is the error of a server that answers a read with something
// else than it was asked for, for providers.
func WrongAnswer(detail string) *Error {
	return &Error{Kind: Unavailable, Code: "WrongAnswer", Detail: detail}
}

// InvalidRange is the error of a range that an object does not have, for
// providers.
func InvalidRange(opts ReadOptions) *Error {
	return &Error{Kind: Invalid, Code: "InvalidRange", Detail: fmt.Sprintf("no bytes from %d, length %d", opts.Offset, opts.Length)}
}
