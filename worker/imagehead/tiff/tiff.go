// Package tiff reads the heads of TIFF and BigTIFF files.
package tiff

import (
	"encoding/binary"
	"errors"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/exif"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Type is the type of the Tagged Image File Format, also in its form
// for large files.
const Type head.Type = "tiff"

// Format is the line of TIFF in the table of formats.
var Format = head.Format{
	Type:       Type,
	Extensions: []string{".tif", ".tiff"},
	Matches:    func(start []byte) bool { return len(start) >= 8 && variantOf(start).order != nil },
	FirstRead:  4 << 10, // most directories are elsewhere
	Read:       read,
}

// The tags that a head needs (TIFF 6.0, section 8; XMP specification
// part 3, 3.4).
const (
	tagWidth    = 256
	tagHeight   = 257
	tagBits     = 258
	tagSamples  = 277
	tagXMP      = 700
	maxEntries  = 4096
	maxXMP      = 1 << 20
	tagOrient   = exif.TagOrientation
	maxSideBits = 31
)

// variant is the layout of directories: TIFF 6.0, section 2, or the
// BigTIFF design document.
type variant struct {
	order   binary.ByteOrder
	big     bool
	word    int64 // bytes of an offset, and of the value in an entry
	counter int64 // bytes of the number of entries
}

func (v variant) entrySize() int64 { return 4 + 2*v.word }

// variantOf returns the variant that the first 8 bytes name; its order
// is nil if they name none.
func variantOf(start []byte) variant {
	if order := exif.ByteOrder(start); order != nil {
		return variant{order: order, word: 4, counter: 2}
	}
	v := variant{big: true, word: 8, counter: 8}
	switch string(start[:4]) {
	case "II+\x00":
		v.order = binary.LittleEndian
	case "MM\x00+":
		v.order = binary.BigEndian
	}
	return v
}

// offset reads an offset.
func (v variant) offset(b []byte) int64 {
	if !v.big {
		return int64(v.order.Uint32(b))
	}
	n := v.order.Uint64(b)
	if n > 1<<62 {
		return -1
	}
	return int64(n)
}

// read reads the first directory, wherever it is.
func read(r *head.Source) (head.Head, error) {
	h, err := readDirectory(r)
	if errors.Is(err, head.ErrShort) {
		return head.Head{}, head.Corrupt(Type, "the TIFF ends within its first directory")
	}
	return h, err
}

func readDirectory(r *head.Source) (head.Head, error) {
	start, err := r.At(0, min(16, r.Size()))
	if err != nil {
		return head.Head{}, err
	}
	d := directory{source: r, variant: variantOf(start)}
	if int64(len(start)) < 4+d.word || d.big && len(start) < 16 {
		return head.Head{}, head.ErrShort
	}
	at := d.offset(start[4:])
	if d.big {
		at = d.offset(start[8:])
	}
	if err := d.read(at); err != nil {
		return head.Head{}, err
	}
	return d.head()
}
