// Package png reads the heads of PNGs.
package png

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/exif"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Type is the type of Portable Network Graphics.
const Type head.Type = "png"

// Format is the line of PNG in the table of formats.
var Format = head.Format{
	Type:       Type,
	Extensions: []string{".png", ".apng"},
	Matches:    head.Signature(0, signature),
	FirstRead:  4 << 10, // the size is at the very front
	Read:       read,
}

const (
	signature = "\x89PNG\r\n\x1a\n"
	// headerSize is how many bytes there are up to the end of IHDR, the
	// first chunk: it has a length, a kind, 13 bytes of content and a
	// checksum.
	headerSize = len(signature) + 4 + 4 + 13 + 4
)

// read reads IHDR, the first chunk, and looks for an eXIf chunk
// before the pixels (PNG 3rd edition, 11.3.4.5).
func read(r *head.Source) (head.Head, error) {
	b, err := r.At(int64(len(signature)), int64(headerSize-len(signature)))
	if errors.Is(err, head.ErrShort) {
		return head.Head{}, head.Corrupt(Type, "the PNG ends within its header")
	}
	if err != nil {
		return head.Head{}, err
	}
	if string(b[:8]) != "\x00\x00\x00\rIHDR" {
		return head.Head{}, head.Corrupt(Type, "the PNG does not start with its header chunk, IHDR")
	}
	if crc32.ChecksumIEEE(b[4:21]) != binary.BigEndian.Uint32(b[21:]) {
		return head.Head{}, head.Corrupt(Type, "the checksum of the PNG's header does not match")
	}
	width, height := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	if width == 0 || height == 0 || width > math.MaxInt32 || height > math.MaxInt32 {
		return head.Head{}, head.Corrupt(Type,
			"the PNG's header says %d x %d pixels", width, height)
	}

	h := head.Head{
		Type: Type, Width: int(width), Height: int(height), Orientation: 1,
		Layout: layoutOf(b[16], b[17], b[20]),
	}
	err = readChunks(r, &h)
	if err != nil && !errors.Is(err, head.ErrShort) {
		return head.Head{}, err
	}
	return h, nil
}

// layoutOf returns what the header says: the bits of a sample, the
// type of colour and the way of interlacing (PNG 3rd edition, 11.2.1).
func layoutOf(bits, colour, interlace byte) head.Layout {
	l := head.Layout{Bits: int(bits), Passes: interlace != 0}
	switch colour {
	case 0:
		l.Components = 1
	case 2:
		l.Components = 3
	case 3:
		l.Components, l.Palette = 1, true
	case 4:
		l.Components, l.Transparent = 2, true
	case 6:
		l.Components, l.Transparent = 4, true
	}
	return l
}

// readChunks walks over the chunks up to the pixels. It looks for an
// orientation in eXIf, and for a transparent colour, tRNS. If the
// chunks are broken it returns head.ErrShort: the size of the image is
// known.
func readChunks(r *head.Source, h *head.Head) error {
	found := false
	for pos := int64(headerSize); ; {
		b, err := r.At(pos, 8)
		if err != nil {
			return err
		}
		n := int64(binary.BigEndian.Uint32(b))
		switch string(b[4:8]) {
		case "IDAT", "IEND":
			return nil
		case "tRNS":
			h.Layout.Transparent = true
		case "eXIf":
			if found {
				break
			}
			found = true
			tag, _, err := exif.Orientation(exif.Block{Source: r, Off: pos + 8, Size: n})
			if err != nil && !errors.Is(err, head.ErrShort) {
				return err
			}
			h.Orientation = exif.Valid(tag)
		}
		pos += 8 + n + 4
	}
}
