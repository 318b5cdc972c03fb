package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Answer is a server's answer to a read, before its body is read.
type Answer struct {
	Body   io.ReadCloser
	Object providers.Object // NewReader sets its Size
	Length *int64           // Content-Length
	Range  *string          // Content-Range; nil when the server sent the whole object
}

// NewReader checks that the answer is what opts asked for, and
// returns a reader of exactly those bytes. A server that ignores
// ranges sends the whole object: then the reader skips what comes
// before opts.Offset. Errors of the body pass through fail. When
// NewReader fails, it closes the body.
func (a Answer) NewReader(
	opts providers.ReadOptions, fail func(error) error,
) (*providers.Reader, error) {
	first, size, err := a.span(opts)
	a.Object.Size = size
	if err == nil {
		err = CheckObject(a.Object)
	}
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
	return &providers.Reader{ReadCloser: Body(a.Body, n, fail), Object: a.Object}, nil
}

// span returns the offset of the first byte in the answer, and the
// size of the whole object.
func (a Answer) span(opts providers.ReadOptions) (first, size int64, err error) {
	if a.Range == nil {
		if a.Length == nil || *a.Length < 0 {
			return 0, 0, WrongAnswer("the server did not say how long the object is")
		}
		return 0, *a.Length, nil
	}

	first, last, size, ok := parseContentRange(*a.Range)
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

// parseContentRange reads "bytes 0-99/1234". It does not use
// fmt.Sscanf, which would take a tenth of a read's processor time.
func parseContentRange(header string) (first, last, size int64, ok bool) {
	span, ok := strings.CutPrefix(header, "bytes ")
	span, whole, found := strings.Cut(span, "/")
	from, to, dash := strings.Cut(span, "-")
	var errs [3]error
	first, errs[0] = strconv.ParseInt(from, 10, 64)
	last, errs[1] = strconv.ParseInt(to, 10, 64)
	size, errs[2] = strconv.ParseInt(whole, 10, 64)
	return first, last, size, ok && found && dash && errors.Join(errs[:]...) == nil
}

// OpenEmpty decides about a read that failed with refused. Servers
// refuse every range of an empty object with status 416, but to
// Stevedore the whole of an empty object is a valid range. So on a
// 416 OpenEmpty asks for the object's size, and returns an empty
// reader if that is 0. In every other case it returns refused.
func OpenEmpty(
	ctx context.Context, b providers.Bucket, key string, refused error,
) (*providers.Reader, error) {
	var e *providers.Error
	if !errors.As(refused, &e) || e.Status != http.StatusRequestedRangeNotSatisfiable {
		return nil, refused
	}
	o, err := b.Stat(ctx, key)
	if err != nil || o.Size != 0 {
		return nil, refused
	}
	return &providers.Reader{ReadCloser: http.NoBody, Object: o}, nil
}

// WrongAnswer makes the error of a server that answers a read with
// something else than it was asked for. The caller adds operation and
// subject.
func WrongAnswer(detail string) *providers.Error {
	return &providers.Error{Kind: providers.Unavailable, Code: "WrongAnswer", Detail: detail}
}

// InvalidRange makes the error of a range that an object does not
// have. The caller adds operation and subject.
func InvalidRange(opts providers.ReadOptions) *providers.Error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "InvalidRange",
		Detail: fmt.Sprintf("no bytes from %d, length %d", opts.Offset, opts.Length),
	}
}
