package memory

import (
	"context"
	"errors"
	"io"
)

// Content is what was read of a body, in pieces. The zero value is
// empty.
type Content struct {
	pieces [][]byte
	size   int64
}

// maxPiece is how many bytes are allocated at once.
const maxPiece = 256 << 10

// Size returns how many bytes were read.
func (c *Content) Size() int64 { return c.size }

// Append adds bytes that are in memory already. The share pays for
// them.
func (c *Content) Append(ctx context.Context, s *Share, data []byte) error {
	if err := s.Grow(ctx, int64(len(data))); err != nil {
		return err
	}
	c.add(data)
	return nil
}

func (c *Content) add(data []byte) {
	c.pieces = append(c.pieces, data)
	c.size += int64(len(data))
}

// ReadFrom reads from r until the content has n bytes or r ends. The
// share pays for each piece before it is read. So a slow body holds
// only what it has sent.
func (c *Content) ReadFrom(ctx context.Context, s *Share, r io.Reader, n int64) error {
	for c.size < n {
		length := min(maxPiece, n-c.size)
		if err := s.Grow(ctx, length); err != nil {
			return err
		}
		piece := make([]byte, length)
		got, err := io.ReadFull(r, piece)
		c.add(piece[:got])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Reader returns a reader of the content from its start. It calls check
// before each read, and an error of check ends the reading: so a
// decoder that takes long can be stopped.
func (c *Content) Reader(check func() error) io.Reader {
	return &contentReader{check: check, pieces: c.pieces}
}

// contentReader reads pieces one after the other.
type contentReader struct {
	check  func() error
	pieces [][]byte // behind the current one
	piece  []byte   // what is left of the current one
}

// Read implements io.Reader.
func (r *contentReader) Read(p []byte) (int, error) {
	if err := r.check(); err != nil {
		return 0, err
	}
	for len(r.piece) == 0 {
		if len(r.pieces) == 0 {
			return 0, io.EOF
		}
		r.piece, r.pieces = r.pieces[0], r.pieces[1:]
	}
	n := copy(p, r.piece)
	r.piece = r.piece[n:]
	return n, nil
}
