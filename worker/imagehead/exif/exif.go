// Package exif finds an image's orientation in its metadata: in EXIF,
// and in XMP. It finds what Pillow finds, because CVAT shows images as
// Pillow turns them (Pillow 12.3, Image.getexif, TiffImagePlugin
// ImageFileDirectory_v2).
package exif

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// EXIF is a TIFF block: a header of 8 bytes with the position of the
// first directory, which is a count and entries of 12 bytes (TIFF
// 6.0, section 2).
const (
	TagOrientation = 274
	entrySize      = 12
	maxEntries     = 4096 // cameras write about 20
)

// magic comes before the TIFF block in a JPEG, and, against the rules,
// in other formats too.
const magic = "Exif\x00\x00"

// Orientation returns the value of the orientation tag, valid or not,
// and whether there is one. A broken block has none: broken EXIF does
// not make a broken image. The errors are only those of fetching.
func Orientation(b Block) (value int, found bool, err error) {
	value, found, err = searchFirstDirectory(b)
	if errors.Is(err, head.ErrShort) {
		err = nil
	}
	return value, found, err
}

// searchFirstDirectory returns what it has found before an error too.
// Of several entries of the tag the last one counts.
func searchFirstDirectory(b Block) (value int, found bool, err error) {
	start, err := b.at(0, 8)
	for err == nil && string(start[:len(magic)]) == magic {
		b = b.from(int64(len(magic)))
		start, err = b.at(0, 8)
	}
	if err != nil {
		return 0, false, err
	}
	order := ByteOrder(start)
	if order == nil {
		return 0, false, nil
	}
	dir := int64(order.Uint32(start[4:]))
	count, err := b.at(dir, 2)
	if err != nil {
		return 0, false, err
	}
	for i := range min(int64(order.Uint16(count)), maxEntries) {
		text, err := b.at(dir+2+i*entrySize, entrySize)
		if err != nil {
			return value, found, err
		}
		e := entry{order: order, kind: order.Uint16(text[2:]), count: order.Uint32(text[4:])}
		copy(e.value[:], text[8:])
		if order.Uint16(text) != TagOrientation || e.size() == 0 {
			continue
		}
		if value, err = e.number(b); err != nil {
			return value, found, err
		}
		found = true
	}
	return value, found, nil
}

// ByteOrder returns the order of bytes that the first bytes of a TIFF
// block name, or nil. Pillow takes the number 42 in either order.
func ByteOrder(start []byte) binary.ByteOrder {
	switch string(start[:4]) {
	case "II*\x00", "II\x00*":
		return binary.LittleEndian
	case "MM\x00*", "MM*\x00":
		return binary.BigEndian
	}
	return nil
}

// entry is an entry of a directory.
type entry struct {
	order binary.ByteOrder
	kind  uint16
	count uint32
	value [4]byte // or where the value is, if it takes more
}

// sizes holds how many bytes a value of each kind takes (TIFF 6.0,
// section 2; 13 is TIFF technical note 1).
var sizes = [...]int64{
	1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
}

// size returns how many bytes the values take; 0 if the kind is not
// known.
func (e entry) size() int64 {
	if int(e.kind) >= len(sizes) {
		return 0
	}
	return sizes[e.kind] * int64(e.count)
}

// number returns the first value as a number; 0 if it is no whole
// number. Pillow turns no image by text.
func (e entry) number(b Block) (int, error) {
	value := append(e.value[:], 0, 0, 0, 0)
	if e.size() > int64(len(e.value)) {
		at := int64(e.order.Uint32(value))
		if _, err := b.at(at+e.size()-1, 1); err != nil {
			return 0, err
		}
		text, err := b.at(at, sizes[e.kind])
		if err != nil {
			return 0, err
		}
		copy(value, text)
	}
	first, second := e.order.Uint32(value), e.order.Uint32(value[4:])
	switch e.kind {
	case 3:
		return int(e.order.Uint16(value)), nil
	case 4, 13:
		return int(first), nil
	case 5:
		return quotient(int64(first), int64(second)), nil
	case 6:
		return int(int8(value[0])), nil
	case 8:
		return int(int16(e.order.Uint16(value))), nil
	case 9:
		return int(int32(first)), nil
	case 10:
		return quotient(int64(int32(first)), int64(int32(second))), nil
	case 11:
		return whole(float64(math.Float32frombits(first))), nil
	case 12:
		return whole(math.Float64frombits(e.order.Uint64(value))), nil
	}
	return 0, nil
}

func quotient(numerator, denominator int64) int {
	if denominator == 0 || numerator%denominator != 0 {
		return 0
	}
	return int(numerator / denominator)
}

func whole(value float64) int {
	if value != math.Trunc(value) || math.Abs(value) > math.MaxInt32 {
		return 0
	}
	return int(value)
}

// Valid returns an orientation from 1 to 8; any other value of the tag
// counts as 1. So says the standard, and so Pillow shows the image.
// CVAT 2.73 swaps width and height for values above 8 all the same
// (utils/dataset_manifest/core.py); that is not followed.
func Valid(tag int) int {
	if tag < 1 || tag > 8 {
		return 1
	}
	return tag
}
