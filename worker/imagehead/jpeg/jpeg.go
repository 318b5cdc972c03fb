// Package jpeg reads the heads of JPEGs.
package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/exif"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Type is the type of JFIF and EXIF files.
const Type head.Type = "jpeg"

// Format is the line of JPEG in the table of formats.
var Format = head.Format{
	Type:       Type,
	Extensions: []string{".jpg", ".jpeg", ".jpe", ".jfif"},
	Matches:    head.Signature(0, "\xff\xd8\xff"),
	// Cameras put a preview before the size. This is enough for seven
	// JPEGs in eight.
	FirstRead: 16 << 10,
	Read:      read,
}

// JPEG markers (ITU-T T.81, table B.1).
const (
	markSOI  = 0xd8
	markEOI  = 0xd9
	markSOS  = 0xda
	markAPP0 = 0xe0
	markAPP1 = 0xe1
	markAPPE = 0xee
	markSOF2 = 0xc2 // progressive
	markTEM  = 0x01
	markRST0 = 0xd0
	markRST7 = 0xd7
)

const (
	exifMagic = "Exif\x00\x00"
	xmpMagic  = "http://ns.adobe.com/xap/1.0/\x00"
)

// segment is a marker, and where its content is.
type segment struct {
	marker byte
	off, n int64
}

// read walks from segment to segment by their lengths, up to the
// frame header. It reads only the segments that it needs.
func read(r *head.Source) (head.Head, error) {
	var found tags
	var colours colour
	for pos := int64(2); ; {
		s, err := nextSegment(r, pos)
		if err != nil {
			return head.Head{}, asCorrupt(err)
		}
		switch {
		case s.marker == markAPP1:
			err = found.add(r, s)
		case s.marker == markAPP0, s.marker == markAPPE:
			err = asCorrupt(colours.add(r, s))
		case s.marker == markSOS, s.marker == markEOI:
			err = head.Corrupt(Type, "the JPEG has no frame header before its data")
		case isFrame(s.marker):
			return readFrame(r, s, found, colours)
		}
		if err != nil {
			return head.Head{}, err
		}
		pos = s.off + s.n
	}
}

func readFrame(r *head.Source, s segment, found tags, colours colour) (head.Head, error) {
	b, err := r.At(s.off, 6)
	if s.n < 6 {
		return head.Head{}, endsEarly()
	}
	if err != nil {
		return head.Head{}, asCorrupt(err)
	}
	h := head.Head{
		Type:        Type,
		Height:      int(binary.BigEndian.Uint16(b[1:])),
		Width:       int(binary.BigEndian.Uint16(b[3:])),
		Orientation: 1,
		Layout:      head.Layout{Bits: int(b[0]), Passes: s.marker == markSOF2},
	}
	components := int(b[5])
	if h.Width == 0 || h.Height == 0 {
		return head.Head{}, head.Corrupt(Type,
			"the JPEG's frame header says %d x %d pixels", h.Width, h.Height)
	}
	if err := readComponents(r, s, components, colours, &h.Layout); err != nil {
		return head.Head{}, err
	}
	if h.Orientation, err = found.orientation(r); err != nil {
		return head.Head{}, err
	}
	return h, nil
}

// endsEarly is the error of a JPEG without a whole frame header.
func endsEarly() error { return head.Corrupt(Type, "the JPEG ends before its frame header") }

// asCorrupt turns the end of the object into a corrupt image.
func asCorrupt(err error) error {
	if errors.Is(err, head.ErrShort) {
		return endsEarly()
	}
	return err
}

// isFrame reports whether a marker is SOF: C0 to CF without DHT, JPG
// and DAC.
func isFrame(m byte) bool { return m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc }

// nextSegment finds the first marker at or after pos. Like Pillow and
// libjpeg, it skips fill bytes and junk.
func nextSegment(r *head.Source, pos int64) (segment, error) {
	for {
		b, err := r.At(pos, 2)
		if err != nil {
			return segment{}, err
		}
		switch m := b[1]; {
		case b[0] != 0xff, m == 0xff:
			pos++
		case m == 0, m == markTEM, m == markSOI, m >= markRST0 && m <= markRST7:
			pos += 2
		case m == markEOI, m == markSOS:
			return segment{m, pos + 2, 0}, nil
		default:
			b, err := r.At(pos+2, 2)
			if err != nil {
				return segment{}, err
			}
			n := int64(binary.BigEndian.Uint16(b))
			if n < 2 {
				return segment{}, head.Corrupt(Type, "the JPEG has a segment of length %d", n)
			}
			return segment{m, pos + 4, n - 2}, nil
		}
	}
}

// tags collects what the APP1 segments say about the orientation.
// The first EXIF with an orientation counts. Without one the first XMP
// counts, as in Pillow, which CVAT uses.
type tags struct {
	exif  int
	found bool
	xmp   segment
}

func (t *tags) add(r *head.Source, s segment) error {
	b, err := r.At(s.off, min(s.n, int64(len(xmpMagic))))
	if err != nil {
		return asCorrupt(err)
	}
	switch {
	case bytes.HasPrefix(b, []byte(exifMagic)) && !t.found:
		n := int64(len(exifMagic))
		block := exif.Block{Source: r, Off: s.off + n, Size: s.n - n}
		t.exif, t.found, err = exif.Orientation(block)
		return err
	case string(b) == xmpMagic && t.xmp.n == 0:
		t.xmp = s
	}
	return nil
}

func (t *tags) orientation(r *head.Source) (int, error) {
	if t.found || t.xmp.n == 0 {
		return exif.Valid(t.exif), nil
	}
	b, err := r.At(t.xmp.off, t.xmp.n)
	if err != nil {
		return 0, asCorrupt(err)
	}
	return exif.Valid(exif.XMPOrientation(b)), nil
}
