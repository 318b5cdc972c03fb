package job

import (
	"context"
	"errors"
	"io"

	"github.com/stevedore-jobs/stevedore/providers"
)

// ReadRange reads opts.Length bytes of an object. It returns fewer
// without an error if the object ends early: what reads the format
// reports that.
func ReadRange(
	ctx context.Context, b providers.Bucket, key string, opts providers.ReadOptions,
) ([]byte, error) {
	r, err := b.Open(ctx, key, opts)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return ReadUpTo(r, opts.Length)
}

// ReadUpTo reads n bytes. If r ends early it returns fewer, without an
// error.
func ReadUpTo(r io.Reader, n int64) ([]byte, error) {
	data := make([]byte, n)
	got, err := io.ReadFull(r, data)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return data[:got], err
}
