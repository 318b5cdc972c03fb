package raster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// errLateColour means that a JPEG says after its first pixels how its
// colours are stored. The memory for decoding it could not be known
// from its head. Encoders do not write such files.
var errLateColour = errors.New("the JPEG describes its colours after its pixels")

// maxScans limits the scans of a JPEG. Each takes the time of a whole
// image, but may take only a few bytes. Encoders write about 10.
const maxScans = 500

var errManyScans = fmt.Errorf("the JPEG has more than %d scans", maxScans)

// maxRead is how many bytes the decoder gets at once. Some hundred
// bytes can keep it busy for a second. The reader below may know that
// it is time to stop.
const maxRead = 512

// markerReader reads a JPEG for a decoder. It fails with errLateColour
// at an APP0 or APP14 segment that comes after the first pixels, and
// with errManyScans at one scan too many.
type markerReader struct {
	r      io.Reader
	marked bool // the last byte was 0xff
	length int  // bytes of a segment's length that are still to come
	skip   int  // bytes of the segment's content that are still to come
	scans  int  // begun so far
	ended  bool // the image has ended; the decoder ignores the rest
	failed error
}

// Read implements io.Reader.
func (m *markerReader) Read(p []byte) (int, error) {
	n, err := m.r.Read(p[:min(len(p), maxRead)])
	m.follow(p[:n])
	if m.failed != nil {
		return 0, m.failed
	}
	return n, err
}

// follow walks over the bytes from marker to marker.
func (m *markerReader) follow(p []byte) {
	for len(p) > 0 && m.failed == nil && !m.ended {
		switch {
		case m.length > 0:
			m.skip = m.skip<<8 | int(p[0])
			if m.length--; m.length == 0 {
				m.skip = max(0, m.skip-2)
			}
			p = p[1:]
		case m.skip > 0:
			n := min(m.skip, len(p))
			m.skip -= n
			p = p[n:]
		case m.marked:
			m.marker(p[0])
			p = p[1:]
		default:
			i := bytes.IndexByte(p, 0xff)
			if i < 0 {
				return
			}
			m.marked = true
			p = p[i+1:]
		}
	}
}

// marker handles the byte after 0xff (ITU-T T.81, table B.1).
func (m *markerReader) marker(b byte) {
	const app0, app14, rst0, eoi, sos = 0xe0, 0xee, 0xd0, 0xd9, 0xda
	m.marked = b == 0xff
	switch {
	case b == 0, b == 0xff, b >= rst0 && b <= eoi: // no segment
		m.ended = b == eoi
		return
	case b == sos && m.scans == maxScans:
		m.failed = errManyScans
	case b == sos:
		m.scans++
	case m.scans > 0 && (b == app0 || b == app14):
		m.failed = errLateColour
	}
	m.length, m.skip = 2, 0
}
