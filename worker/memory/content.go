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

// Pieces returns what was read.
func (c *Content) Pieces() [][]byte { return c.pieces }

// Add adds bytes that are in memory already. A share must have paid for
// them. The caller must not change them afterwards.
func (c *Content) Add(data []byte) {
	if len(data) > 0 {
		c.pieces = append(c.pieces, data)
		c.size += int64(len(data))
	}
}

// Write implements io.Writer. It never fails. A share must have paid
// for what is written.
func (c *Content) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		last := len(c.pieces) - 1
		if last < 0 || len(c.pieces[last]) == cap(c.pieces[last]) {
			c.pieces = append(c.pieces, make([]byte, 0, maxPiece))
			last++
		}
		piece := c.pieces[last]
		n := min(len(rest), cap(piece)-len(piece))
		c.pieces[last] = append(piece, rest[:n]...)
		rest = rest[n:]
	}
	c.size += int64(len(p))
	return len(p), nil
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
		c.Add(piece[:got:got])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Reader returns a reader of the content from its start.
func (c *Content) Reader() io.Reader { return &contentReader{pieces: c.pieces} }

// contentReader reads pieces one after the other.
type contentReader struct {
	pieces [][]byte // behind the current one
	piece  []byte   // what is left of the current one
}

// Read implements io.Reader.
func (r *contentReader) Read(p []byte) (int, error) {
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
