package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/stevedore-jobs/stevedore/providers"
)

// Open implements providers.Bucket.
func (b *bucket) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	if opts.Offset < 0 || opts.Length < 0 {
		return nil, b.fail("get", key, invalidRange(opts))
	}
	out, err := b.container.NewBlobClient(key).DownloadStream(ctx, &blob.DownloadStreamOptions{
		Range: blob.HTTPRange{Offset: opts.Offset, Count: opts.Length}, AccessConditions: ifMatch(opts.IfMatch),
	})
	if err != nil {
		return b.openEmpty(ctx, key, b.fail("get", key, err))
	}
	r, err := b.reader(key, opts, out)
	if err != nil {
		_ = out.Body.Close()
		return nil, b.fail("get", key, err)
	}
	return r, nil
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
func (b *bucket) reader(key string, opts providers.ReadOptions, out blob.DownloadStreamResponse) (*providers.Reader, error) {
	if isFolder(out.Metadata) {
		return nil, folderNotFound()
	}
	o := objectOf(key, nil, out.ETag, out.LastModified)
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
func span(opts providers.ReadOptions, out blob.DownloadStreamResponse) (first, size int64, err error) {
	if out.ContentRange == nil {
		if out.ContentLength == nil || *out.ContentLength < 0 {
			return 0, 0, wrongAnswer("the server did not say how long the object is")
		}
		return 0, *out.ContentLength, nil
	}
	var last int64
	if n, err := fmt.Sscanf(*out.ContentRange, "bytes %d-%d/%d", &first, &last, &size); n != 3 || err != nil {
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

func wrongAnswer(detail string) error {
	return &providers.Error{Kind: providers.Unavailable, Code: "WrongAnswer", Detail: detail}
}

func invalidRange(opts providers.ReadOptions) error {
	return &providers.Error{
		Kind: providers.Invalid, Code: "InvalidRange", Detail: fmt.Sprintf("no bytes from %d, length %d", opts.Offset, opts.Length),
	}
}
