package imagehead

import "errors"

// maxReads limits what a malicious header can cost: 512 requests, or
// 32 MiB. The largest honest header, an ICC profile in 255 segments,
// needs half of that.
const maxReads = 512

// errShort means that an object ends before the requested bytes.
var errShort = errors.New("ends too early")

// rangeReader fetches parts of an object and holds the last one.
type rangeReader struct {
	fetch Fetch
	size  int64 // of the object
	next  int64 // how many bytes to fetch next time, at least
	reads int   // fetches so far
	off   int64 // where buf lies in the object
	buf   []byte
}

// at returns n bytes from an offset, valid until the next call. It
// returns errShort if the object ends before them.
func (r *rangeReader) at(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > r.size || n > r.size-off {
		return nil, errShort
	}
	if off < r.off || off+n > r.off+int64(len(r.buf)) {
		if err := r.read(off, n); err != nil {
			return nil, err
		}
	}
	return r.buf[off-r.off:][:n], nil
}

// read fetches at least n bytes from an offset into buf.
func (r *rangeReader) read(off, n int64) error {
	if r.reads++; r.reads > maxReads {
		return corrupt("", "the header takes more than %d reads of the file", maxReads)
	}
	length := min(max(n, r.next), r.size-off)
	r.next = [...]int64{4 << 10, 16 << 10, 64 << 10}[min(r.reads, 3)-1]
	data, err := r.fetch(off, length)
	if err != nil {
		return err
	}
	r.off, r.buf = off, data[:min(int64(len(data)), length)]
	if int64(len(r.buf)) < n {
		return errShort
	}
	return nil
}
