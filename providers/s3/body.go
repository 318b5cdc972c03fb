package s3

import (
	"errors"
	"io"
)

// body is exactly the bytes that were asked for, or an error.
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

// Close lets the connection be used again when little is left to read.
func (r *body) Close() error {
	if r.left <= worthDraining {
		_, _ = io.CopyN(io.Discard, r.from, r.left+1)
	}
	return r.from.Close()
}
