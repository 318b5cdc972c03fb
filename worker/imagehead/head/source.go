package head

import "errors"

// maxReads limits what a malicious header can cost: 512 requests, or
// 32 MiB. The largest honest header, an ICC profile in 255 segments,
// needs half of that.
const maxReads = 512

// ErrShort means that an object ends before the requested bytes.
var ErrShort = errors.New("ends too early")

// Fetch returns n bytes of an object from an offset, fewer only if the
// object ends there. A Source does not write to the slice and uses it
// only until the next call.
type Fetch func(off, n int64) ([]byte, error)

// Source fetches the parts of an object that a format needs, and holds
// the last one. Make it with NewSource.
type Source struct {
	fetch Fetch
	size  int64 // of the object
	next  int64 // how many bytes to fetch next time, at least
	reads int   // fetches so far
	off   int64 // where buf lies in the object
	buf   []byte
}

// NewSource makes a source of an object of size bytes. It fetches at
// least the first bytes, then what is still needed in pieces of 4, 16
// and 64 KiB.
func NewSource(fetch Fetch, size, first int64) *Source {
	return &Source{fetch: fetch, size: size, next: first}
}

// Size returns the size of the object in bytes.
func (s *Source) Size() int64 { return s.size }

// At returns n bytes from an offset, valid until the next call. It
// returns ErrShort if the object ends before them.
func (s *Source) At(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > s.size || n > s.size-off {
		return nil, ErrShort
	}
	if n == 0 {
		return nil, nil // a request of no bytes is an error for some clouds
	}
	if !s.Holds(off, n) {
		if err := s.read(off, n); err != nil {
			return nil, err
		}
	}
	return s.buf[off-s.off:][:n], nil
}

// Holds reports whether At returns n bytes from an offset without
// fetching.
func (s *Source) Holds(off, n int64) bool {
	return off >= s.off && n >= 0 && off+n <= s.off+int64(len(s.buf))
}

// Held returns the bytes from an offset that At returns without
// fetching, valid until the next call of At.
func (s *Source) Held(off int64) []byte {
	if !s.Holds(off, 0) {
		return nil
	}
	return s.buf[off-s.off:]
}

// FetchLittle makes the next fetch a small one. A format calls it before
// it reads at a place that may not be the right one.
func (s *Source) FetchLittle() { s.next = pieces[0] }

// pieces are the lengths of the fetches that follow the first one, in
// bytes.
var pieces = [...]int64{4 << 10, 16 << 10, 64 << 10}

// read fetches at least n bytes from an offset into buf.
func (s *Source) read(off, n int64) error {
	if s.reads++; s.reads > maxReads {
		return Corrupt("", "the header takes more than %d reads of the file", maxReads)
	}
	length := min(max(n, s.next), s.size-off)
	s.next = pieces[min(s.reads, len(pieces))-1]
	data, err := s.fetch(off, length)
	if err != nil {
		return err
	}
	s.off, s.buf = off, data[:min(int64(len(data)), length)]
	if int64(len(s.buf)) < n {
		return ErrShort
	}
	return nil
}
