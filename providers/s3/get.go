package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Open implements providers.Bucket.
func (b *bucket) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	if opts.Offset < 0 || opts.Length < 0 {
		return nil, b.fail("get", key, invalidRange(opts))
	}
	out, err := b.get(ctx, &sdk.GetObjectInput{
		Bucket: b.name(), Key: aws.String(key), Range: rangeOf(opts), IfMatch: quoted(opts.IfMatch),
	})
	if err != nil {
		return b.openEmpty(ctx, key, b.absent(ctx, key, b.fault("get", key, err)))
	}
	r, err := b.reader(key, opts, out)
	if err != nil {
		_ = out.Body.Close()
		return nil, b.fail("get", key, err)
	}
	return r, nil
}

func (b *bucket) get(ctx context.Context, in *sdk.GetObjectInput, opts ...func(*sdk.Options)) (*sdk.GetObjectOutput, error) {
	return call(ctx, b, func(api *sdk.Client) (*sdk.GetObjectOutput, error) { return api.GetObject(ctx, in, opts...) })
}

// rangeOf is the header that asks for a part; nil asks for everything.
func rangeOf(opts providers.ReadOptions) *string {
	switch {
	case opts.Offset == 0 && opts.Length == 0:
		return nil
	case opts.Length == 0:
		return aws.String(fmt.Sprintf("bytes=%d-", opts.Offset))
	}
	return aws.String(fmt.Sprintf("bytes=%d-%d", opts.Offset, opts.Offset+opts.Length-1))
}

// openEmpty deals with a refused range: of an empty object every range is refused, and that is not the caller's fault.
func (b *bucket) openEmpty(ctx context.Context, key string, refused error) (*providers.Reader, error) {
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

// reader checks that the answer is what was asked for, and makes it exactly that.
func (b *bucket) reader(key string, opts providers.ReadOptions, out *sdk.GetObjectOutput) (*providers.Reader, error) {
	o := objectOf(key, out.ContentLength, out.ETag, out.LastModified)
	first, size, err := span(opts, out)
	if err != nil {
		return nil, err
	}
	o.Size = size
	switch {
	case opts.Offset >= size && size > 0:
		return nil, invalidRange(opts)
	case first < opts.Offset: // the server ignores ranges and sent everything
		if _, err := io.CopyN(io.Discard, out.Body, min(opts.Offset, size)-first); err != nil {
			return nil, err
		}
	}
	n := max(0, size-opts.Offset)
	if opts.Length > 0 {
		n = min(n, opts.Length)
	}
	r := providers.Body(out.Body, n, func(err error) error { return b.fail("get", key, err) })
	return &providers.Reader{ReadCloser: r, Object: o}, nil
}

// span is the first byte that an answer holds, and the whole object's size.
func span(opts providers.ReadOptions, out *sdk.GetObjectOutput) (first, size int64, err error) {
	if out.ContentRange == nil {
		if out.ContentLength == nil {
			return 0, 0, wrongAnswer("the server did not say how long the object is")
		}
		return 0, *out.ContentLength, nil
	}
	first, last, size, ok := contentRange(*out.ContentRange)
	if !ok {
		return 0, 0, wrongAnswer("the server answered with an unreadable Content-Range")
	}
	want := size - 1
	if opts.Length > 0 {
		want = min(want, opts.Offset+opts.Length-1)
	}
	if first != opts.Offset || last != want {
		return 0, 0, wrongAnswer("the server answered with another range than it was asked for")
	}
	return first, size, nil
}

// contentRange reads "bytes 0-99/1234". fmt.Sscanf would take a tenth of a read's processor time.
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

func wrongAnswer(detail string) error {
	return &providers.Error{Kind: providers.Unavailable, Code: "WrongAnswer", Detail: detail}
}

func invalidRange(opts providers.ReadOptions) error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "InvalidRange", Detail: fmt.Sprintf("no bytes from %d, length %d", opts.Offset, opts.Length),
	}
}
