package driver

import (
	"context"
	"errors"
	"io"
)

// Source is the body of a Put, as a cloud's client reads it. It
// counts the bytes, fails when the context has ended, and stores its
// own failure, so that the provider can tell it from a failure of the
// cloud. It serves one Put and one goroutine at a time.
type Source struct {
	N      int64 // bytes read so far
	Failed error // why the body could not be read; nil at its regular end

	read func([]byte) (int, error)
	done func() error // the context's error
}

// NewSource makes the source of a Put.
func NewSource(ctx context.Context, body io.Reader) *Source {
	return &Source{read: body.Read, done: ctx.Err}
}

// Read implements io.Reader.
func (s *Source) Read(p []byte) (int, error) {
	if err := s.done(); err != nil {
		s.Failed = err
		return 0, err
	}
	n, err := s.read(p)
	s.N += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		s.Failed = err
	}
	return n, err
}
