package imagehead

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// JPEG is the type of JFIF and EXIF files.
const JPEG Type = "jpeg"

var jpegFormat = format{
	is:         JPEG,
	extensions: []string{".jpg", ".jpeg", ".jpe", ".jfif"},
	signatures: []signature{{0, "\xff\xd8\xff"}},
	// Cameras put a preview before the size. This is enough for seven
	// JPEGs in eight.
	firstRead: 16 << 10,
	read:      readJPEG,
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

// readJPEG walks from segment to segment by their lengths, up to the
// frame header. It reads only the segments that it needs.
func readJPEG(r *rangeReader) (Head, error) {
	var tags jpegTags
	var colour jpegColour
	for pos := int64(2); ; {
		s, err := nextSegment(r, pos)
		if err != nil {
			return Head{}, jpegError(err)
		}
		switch {
		case s.marker == markAPP1:
			err = tags.add(r, s)
		case s.marker == markAPP0, s.marker == markAPPE:
			err = jpegError(colour.add(r, s))
		case s.marker == markSOS, s.marker == markEOI:
			err = corrupt(JPEG, "the JPEG has no frame header before its data")
		case isFrame(s.marker):
			return readFrame(r, s, tags, colour)
		}
		if err != nil {
			return Head{}, err
		}
		pos = s.off + s.n
	}
}

func readFrame(r *rangeReader, s segment, tags jpegTags, colour jpegColour) (Head, error) {
	b, err := r.at(s.off, 6)
	if s.n < 6 {
		return Head{}, endsEarly()
	}
	if err != nil {
		return Head{}, jpegError(err)
	}
	h := Head{
		Type:        JPEG,
		Height:      int(binary.BigEndian.Uint16(b[1:])),
		Width:       int(binary.BigEndian.Uint16(b[3:])),
		Orientation: 1,
		Layout:      Layout{Bits: int(b[0]), Passes: s.marker == markSOF2},
	}
	components := int(b[5])
	if h.Width == 0 || h.Height == 0 {
		return Head{}, corrupt(JPEG,
			"the JPEG's frame header says %d x %d pixels", h.Width, h.Height)
	}
	if err := h.Layout.readComponents(r, s, components, colour); err != nil {
		return Head{}, err
	}
	if h.Orientation, err = tags.orientation(r); err != nil {
		return Head{}, err
	}
	return h, nil
}

// endsEarly is the error of a JPEG without a whole frame header.
func endsEarly() error { return corrupt(JPEG, "the JPEG ends before its frame header") }

// jpegError turns the end of the object into a corrupt image.
func jpegError(err error) error {
	if errors.Is(err, errShort) {
		return endsEarly()
	}
	return err
}

// isFrame reports whether a marker is SOF: C0 to CF without DHT, JPG
// and DAC.
func isFrame(m byte) bool { return m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc }

// nextSegment finds the first marker at or after pos. Like Pillow and
// libjpeg, it skips fill bytes and junk.
func nextSegment(r *rangeReader, pos int64) (segment, error) {
	for {
		b, err := r.at(pos, 2)
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
			b, err := r.at(pos+2, 2)
			if err != nil {
				return segment{}, err
			}
			n := int64(binary.BigEndian.Uint16(b))
			if n < 2 {
				return segment{}, corrupt(JPEG, "the JPEG has a segment of length %d", n)
			}
			return segment{m, pos + 4, n - 2}, nil
		}
	}
}

// jpegTags collects what the APP1 segments say about the orientation.
// The first EXIF with an orientation counts. Without one the first XMP
// counts, as in Pillow, which CVAT uses.
type jpegTags struct {
	exif  int
	found bool
	xmp   segment
}

func (t *jpegTags) add(r *rangeReader, s segment) error {
	b, err := r.at(s.off, min(s.n, int64(len(xmpMagic))))
	if err != nil {
		return jpegError(err)
	}
	switch {
	case bytes.HasPrefix(b, []byte(exifMagic)) && !t.found:
		n := int64(len(exifMagic))
		t.exif, t.found, err = exifOrientation(tiffBlock{r, s.off + n, s.n - n})
		return err
	case string(b) == xmpMagic && t.xmp.n == 0:
		t.xmp = s
	}
	return nil
}

func (t *jpegTags) orientation(r *rangeReader) (int, error) {
	if t.found || t.xmp.n == 0 {
		return validOrientation(t.exif), nil
	}
	b, err := r.at(t.xmp.off, t.xmp.n)
	if err != nil {
		return 0, jpegError(err)
	}
	return validOrientation(xmpOrientation(b)), nil
}

// xmpOrientation returns what Pillow's pattern
// tiff:Orientation(="|>)([0-9]) finds, or 0.
func xmpOrientation(xmp []byte) int {
	for {
		_, rest, found := bytes.Cut(xmp, []byte("tiff:Orientation"))
		if !found {
			return 0
		}
		digit := bytes.TrimPrefix(rest, []byte(`="`))
		if len(digit) == len(rest) {
			digit = bytes.TrimPrefix(rest, []byte(">"))
		}
		if len(digit) < len(rest) && len(digit) > 0 && '0' <= digit[0] && digit[0] <= '9' {
			return int(digit[0] - '0')
		}
		xmp = rest
	}
}
