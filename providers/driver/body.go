package driver

import (
	"errors"
	"io"
)

// Body returns a reader of exactly the first n bytes of an answer's
// body. If the body ends early, Read fails with io.ErrUnexpectedEOF.
// Every error of Read passes through fail. Bytes after the first n
// are not returned.
//
// Close never fails, because Read has reported what is wrong with a
// body. If little of the body is left, Close reads it, so that the
// connection can be used again.
func Body(from io.ReadCloser, n int64, fail func(error) error) io.ReadCloser {
	return &body{from, n, fail}
}

type body struct {
	from io.ReadCloser
	left int64 // bytes still to return
	fail func(error) error
}

func (r *body) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.from.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	switch {
	case r.left == 0:
		return n, nil // all bytes are here, so an error now does not matter
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		err = r.fail(err)
	}
	return n, err
}

const maxDrain = 64 << 10 // bytes; reading them is cheaper than a new connection

func (r *body) Close() error {
	if r.left <= maxDrain {
		_, _ = io.CopyN(io.Discard, r.from, r.left+1)
	}
	_ = r.from.Close()
	return nil
}
