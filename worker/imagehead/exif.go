package imagehead

import (
	"encoding/binary"
	"errors"
)

// A TIFF block, as EXIF has it: a header of 8 bytes with the place of the
// first directory, which is a count and entries of 12 bytes (TIFF 6.0,
// section 2).
const (
	tagOrientation = 274
	entrySize      = 12
	maxEntries     = 4096 // cameras write about 20
)

// block is a range of an object that holds one TIFF block.
type block struct {
	w      *window
	off, n int64
}

func (b block) at(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > b.n || n > b.n-off {
		return nil, errShort
	}
	return b.w.at(b.off+off, n)
}

// orientation finds the orientation that a TIFF block tells, whatever its
// value. A block that makes no sense tells none: broken EXIF does not make a
// broken image. The errors are those of fetching alone.
func orientation(b block) (value int, found bool, err error) {
	value, found, err = searchFirstDirectory(b)
	if errors.Is(err, errShort) {
		return 0, false, nil
	}
	return value, found, err
}

func searchFirstDirectory(b block) (int, bool, error) {
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
			v, ok := number(order, entry)
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

// number is the value of an entry that holds one unsigned integer.
func number(order binary.ByteOrder, entry []byte) (int, bool) {
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
