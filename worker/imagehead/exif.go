package imagehead

import (
	"encoding/binary"
	"errors"
)

// EXIF is a TIFF block: a header of 8 bytes with the position of the
// first directory, which is a count and entries of 12 bytes (TIFF
// 6.0, section 2).
const (
	tagOrientation = 274
	entrySize      = 12
	maxEntries     = 4096 // cameras write about 20
)

// tiffBlock is the range of an object that holds a TIFF block.
type tiffBlock struct {
	r      *rangeReader
	off, n int64
}

func (b tiffBlock) at(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > b.n || n > b.n-off {
		return nil, errShort
	}
	return b.r.at(b.off+off, n)
}

// exifOrientation returns the value of the orientation tag, valid or
// not, and whether there is one. A broken block has none: broken EXIF
// does not make a broken image. The errors are only those of
// fetching.
func exifOrientation(b tiffBlock) (value int, found bool, err error) {
	value, found, err = searchFirstDirectory(b)
	if errors.Is(err, errShort) {
		return 0, false, nil
	}
	return value, found, err
}

func searchFirstDirectory(b tiffBlock) (int, bool, error) {
	head, err := b.at(0, 8)
	if err != nil {
		return 0, false, err
	}
	order := byteOrder(head)
	if order == nil {
		return 0, false, nil
	}

	dir := int64(order.Uint32(head[4:]))
	count, err := b.at(dir, 2)
	if err != nil {
		return 0, false, err
	}
	for i := range min(int64(order.Uint16(count)), maxEntries) {
		entry, err := b.at(dir+2+i*entrySize, entrySize)
		if err != nil {
			return 0, false, err
		}
		if order.Uint16(entry) == tagOrientation {
			v, ok := unsignedValue(order, entry)
			return v, ok, nil
		}
	}
	return 0, false, nil
}

func byteOrder(head []byte) binary.ByteOrder {
	switch string(head[:4]) {
	case "II*\x00":
		return binary.LittleEndian
	case "MM\x00*":
		return binary.BigEndian
	}
	return nil
}

// unsignedValue returns the first value of an entry of unsigned
// integers.
func unsignedValue(order binary.ByteOrder, entry []byte) (int, bool) {
	if order.Uint32(entry[4:]) == 0 {
		return 0, false
	}
	switch order.Uint16(entry[2:]) {
	case 1: // byte
		return int(entry[8]), true
	case 3: // short
		return int(order.Uint16(entry[8:])), true
	case 4: // long
		return int(order.Uint32(entry[8:])), true
	}
	return 0, false
}

// validOrientation returns an orientation from 1 to 8; any other
// value of the tag counts as 1.
func validOrientation(tag int) int {
	if tag < 1 || tag > 8 {
		return 1
	}
	return tag
}
