// Package jpeg reads the heads of JPEGs.
package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Type is the type of JFIF and EXIF files, and of MPO files, whose
// first image is such a file.
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
	markRST0 = 0xd0
	markRST7 = 0xd7
	minMark  = 0xc0
)

// segment is a marker, and where its content is.
type segment struct {
	marker byte
	off, n int64
}

// read walks from segment to segment by their lengths, up to the
// pixels. It reads only the segments that it needs. Like Pillow it goes
// on behind the frame header: EXIF, colours and another frame header may
// follow.
func read(r *head.Source) (head.Head, error) {
	f := file{source: r}
	err := f.readSegments()
	var broken *head.Error
	isBroken := errors.Is(err, head.ErrShort) || errors.As(err, &broken) && broken.Type == Type
	switch {
	case f.head.Width > 0 && isBroken:
		// The size is known. What says more about the image is missing.
		f.head.Refusal = "the JPEG is broken or ends before its pixels"
	case errors.Is(err, head.ErrShort):
		return head.Head{}, head.Corrupt(Type, "the JPEG ends before its frame header")
	case err != nil:
		return head.Head{}, err
	case f.head.Width == 0:
		return head.Head{}, head.Corrupt(Type, "the JPEG has no frame header before its data")
	}
	f.head.Layout.RGB = f.colour.isRGB(f.head.Layout.Components, f.ids)
	f.head.Orientation, err = f.tags.orientation(r)
	return f.head, err
}

// file is what is known of a JPEG so far.
type file struct {
	source *head.Source
	head   head.Head
	ids    string // of the components
	tags   tags
	colour colour
}

// readSegments reads what it needs of all segments up to the pixels.
func (f *file) readSegments() error {
	for pos := int64(2); ; {
		s, err := nextSegment(f.source, pos)
		if err != nil {
			return err
		}
		switch {
		case s.marker == markAPP1:
			err = f.tags.add(f.source, s)
		case s.marker == markAPP0, s.marker == markAPPE:
			err = f.colour.add(f.source, s)
		case isFrame(s.marker):
			err = f.readFrame(s)
		case s.marker == markSOS:
			return nil
		}
		if err != nil {
			return err
		}
		pos = s.off + s.n
	}
}

// readFrame reads a frame header: the precision, the size, and the
// components with their sampling (ITU-T T.81, B.2.2).
func (f *file) readFrame(s segment) error {
	const fixed, each = 6, 3
	if s.n < fixed {
		return head.Corrupt(Type, "the JPEG has a frame header of %d bytes", s.n)
	}
	b, err := f.source.At(s.off, fixed)
	if err != nil {
		return err
	}
	height, width := int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	bits, components := int(b[0]), int(b[5])
	if width == 0 || height == 0 {
		return head.Corrupt(Type, "the JPEG's frame header says %d x %d pixels", width, height)
	}
	f.head = head.Head{
		Type: Type, Width: width, Height: height, Orientation: 1,
		Layout:  head.Layout{Bits: bits, Passes: isProgressive(s.marker)},
		Refusal: refusal(bits, components),
	}
	f.ids = ""
	if components > len(f.head.Layout.Sampling) || s.n < int64(fixed+each*components) {
		return nil
	}
	if b, err = f.source.At(s.off+fixed, int64(each*components)); err != nil {
		return err
	}
	f.head.Layout.Components = components
	for i := range components {
		f.ids += string(b[each*i : each*i+1])
		both := int(b[each*i+1])
		f.head.Layout.Sampling[i] = head.Sampling{H: both >> 4, V: both & 15}
	}
	return nil
}

// refusal says why Pillow opens no JPEG like that (Pillow 12.3,
// JpegImagePlugin.SOF).
func refusal(bits, components int) string {
	switch {
	case bits != 8:
		return fmt.Sprintf("CVAT opens no JPEG with %d bits a sample", bits)
	case components != 1 && components != 3 && components != 4:
		return fmt.Sprintf("CVAT opens no JPEG with %d components", components)
	}
	return ""
}

// isFrame reports whether a marker is SOF: C0 to CF without DHT, JPG
// and DAC.
func isFrame(m byte) bool { return m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc }

func isProgressive(m byte) bool { return m == 0xc2 || m == 0xc6 || m == 0xca || m == 0xce }

// junk returns how many of the bytes come before the first that may
// begin a marker; at least 1.
func junk(held []byte) int64 {
	n := bytes.IndexByte(held, 0xff)
	if n < 0 {
		n = len(held)
	}
	return int64(max(n, 1))
}

// nextSegment finds the first marker at or after pos. Like Pillow and
// libjpeg, it skips fill bytes and junk.
func nextSegment(r *head.Source, pos int64) (segment, error) {
	for {
		b, err := r.At(pos, 2)
		if err != nil {
			return segment{}, err
		}
		switch m := b[1]; {
		case b[0] != 0xff:
			pos += junk(r.Held(pos))
		case m == 0xff:
			pos++
		case m == 0, m == markSOI, m == markEOI, m >= markRST0 && m <= markRST7:
			pos += 2
		case m < minMark:
			return segment{}, head.Corrupt(Type, "the JPEG has the unknown marker %02x", m)
		case m == markSOS:
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
