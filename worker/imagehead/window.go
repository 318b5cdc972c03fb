package imagehead

import "errors"

// maxReads bounds what a hostile header can cost: 512 requests, or 32 MiB.
// The largest honest one, an ICC profile in 255 segments, needs half of that.
const maxReads = 512

// errShort tells that an object ends before the bytes that were asked for.
var errShort = errors.New("ends too early")

// window is the part of an object that was fetched last.
type window struct {
	fetch Fetch
	size  int64 // of the object
	next  int64 // bytes to fetch next time, at least
	reads int
	off   int64
	buf   []byte
}

// at gives n bytes at an offset, valid until the next call. Past the end of
// the object it is errShort.
func (w *window) at(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > w.size || n > w.size-off {
		return nil, errShort
	}
	if off < w.off || off+n > w.off+int64(len(w.buf)) {
		if err := w.read(off, n); err != nil {
			return nil, err
		}
	}
	return w.buf[off-w.off:][:n], nil
}

func (w *window) read(off, n int64) error {
	if w.reads++; w.reads > maxReads {
		return corrupt("", "the header is spread over more than %d pieces of the file", maxReads)
	}
	length := min(max(n, w.next), w.size-off)
	w.next = [...]int64{4 << 10, 16 << 10, 64 << 10}[min(w.reads, 3)-1]
	data, err := w.fetch(off, length)
	if err != nil {
		return err
	}
	w.off, w.buf = off, data[:min(int64(len(data)), length)]
	if int64(len(w.buf)) < n {
		return errShort
	}
	return nil
}
