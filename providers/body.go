package providers

import (
	"errors"
	"io"
)

// Body makes a reader of exactly n bytes out of an answer's body, for
// providers: an answer that ends early fails, with fail around the cause, and
// what comes after the n bytes is not read. Close lets the connection be used
// again when little of it is left, and never fails: what is wrong with a body
// is for Read to tell.
func Body(from io.ReadCloser, n int64, fail func(error) error) io.ReadCloser {
	return &body{from, n, fail}
}

type body struct {
	from io.ReadCloser
	left int64
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
		return n, nil // whatever ends the answer comes too late to matter
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		err = r.fail(err)
	}
	return n, err
}

const worthDraining = 64 << 10 // bytes; reading them is cheaper than a new connection

func (r *body) Close() error {
	if r.left <= worthDraining {
		_, _ = io.CopyN(io.Discard, r.from, r.left+1)
	}
	_ = r.from.Close()
	return nil
}
