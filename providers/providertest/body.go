package providertest

import (
	"errors"
	"io"
	"math/rand/v2"
)

const (
	large  = 20 << 20 // bytes; several parts of a multipart upload
	medium = 9 << 20  // bytes; just more than one part
)

// generated returns a body without a size that cannot be rewound. Its
// parts all differ.
func generated(n int64) io.Reader {
	block := make([]byte, 1<<20-13)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(block)
	return struct{ io.Reader }{io.LimitReader(&repeater{block: block}, n)}
}

// repeater repeats a block without end.
type repeater struct {
	block []byte
	at    int
}

func (r *repeater) Read(p []byte) (int, error) {
	n := copy(p, r.block[r.at:])
	r.at = (r.at + n) % len(r.block)
	return n, nil
}

// endingReader reads a body to its end, and then returns the result
// of end.
type endingReader struct {
	io.Reader
	end func() error
}

func (r endingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = r.end()
	}
	return n, err
}
