// Package png reads the heads of PNGs, also of animated ones.
package png

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Type is the type of Portable Network Graphics.
const Type head.Type = "png"

// Format is the line of PNG in the table of formats.
var Format = head.Format{
	Type:       Type,
	Extensions: []string{".png", ".apng"},
	Matches:    head.Signature(0, signature),
	FirstRead:  firstRead,
	Read:       read,
}

const (
	firstRead = 4 << 10 // bytes; the size is at the very front
	signature = "\x89PNG\r\n\x1a\n"
	// headerSize is how many bytes there are up to the end of IHDR, the
	// first chunk: it has a length, a kind, 13 bytes of content and a
	// checksum.
	headerSize = len(signature) + frame + 13
	frame      = 12 // a chunk without its content: length, kind, checksum
)

// read reads IHDR, the first chunk, and looks in the others for an
// orientation.
func read(r *head.Source) (head.Head, error) {
	b, err := r.At(int64(len(signature)), int64(headerSize-len(signature)))
	if errors.Is(err, head.ErrShort) {
		return head.Head{}, head.Corrupt(Type, "the PNG ends within its header")
	}
	if err != nil {
		return head.Head{}, err
	}
	h, err := readHeader(b)
	if err != nil {
		return head.Head{}, err
	}
	f := file{source: r, head: h}
	switch err := f.readChunks(); {
	case errors.Is(err, head.ErrShort):
		f.head.Refusal = "the PNG ends before its pixels"
	case err != nil:
		return head.Head{}, err
	}
	f.head.Refusal = cmp.Or(f.head.Refusal, f.texts.refusal)
	f.head.Orientation, err = f.texts.orientation()
	return f.head, err
}

// readHeader reads IHDR, with its length, kind and checksum (PNG 3rd
// edition, 11.2.1).
func readHeader(b []byte) (head.Head, error) {
	if string(b[:8]) != "\x00\x00\x00\rIHDR" {
		return head.Head{}, head.Corrupt(Type, "the PNG does not begin with its header, IHDR")
	}
	if crc32.ChecksumIEEE(b[4:21]) != binary.BigEndian.Uint32(b[21:]) {
		return head.Head{}, head.Corrupt(Type, "the checksum of the PNG's header does not match")
	}
	width, height := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	if width == 0 || height == 0 || width > math.MaxInt32 || height > math.MaxInt32 {
		return head.Head{}, head.Corrupt(Type, "the PNG's header says %d x %d", width, height)
	}
	h := head.Head{
		Type: Type, Width: int(width), Height: int(height), Orientation: 1,
		Layout: layoutOf(b[16], b[17], b[20]),
	}
	switch bits, colour, filter := b[16], b[17], b[19]; {
	case !isMode(bits, colour):
		h.Refusal = fmt.Sprintf("the PNG has colour type %d with %d bits a sample", colour, bits)
	case filter != 0:
		h.Refusal = fmt.Sprintf("the PNG has the unknown filter method %d", filter)
	}
	return h, nil
}

// isMode reports whether a colour type may have so many bits a sample
// (PNG 3rd edition, table 12). Pillow opens no other ones.
func isMode(bits, colour byte) bool {
	switch colour {
	case 0:
		return bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16
	case 3:
		return bits == 1 || bits == 2 || bits == 4 || bits == 8
	case 2, 4, 6:
		return bits == 8 || bits == 16
	}
	return false
}

// layoutOf returns what the header says of the pixels.
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
