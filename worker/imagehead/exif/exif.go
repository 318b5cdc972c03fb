// Package exif finds an image's orientation in its metadata: in EXIF,
// and in XMP.
package exif

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// EXIF is a TIFF block: a header of 8 bytes with the position of the
// first directory, which is a count and entries of 12 bytes (TIFF
// 6.0, section 2).
const (
	tagOrientation = 274
	entrySize      = 12
	maxEntries     = 4096 // cameras write about 20
)

// Block is the range of an object that holds a TIFF block.
type Block struct {
	Source *head.Source
	Off    int64
	Size   int64
}

func (b Block) at(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > b.Size || n > b.Size-off {
		return nil, head.ErrShort
	}
	return b.Source.At(b.Off+off, n)
}

// Orientation returns the value of the orientation tag, valid or
// not, and whether there is one. A broken block has none: broken EXIF
// does not make a broken image. The errors are only those of
// fetching.
func Orientation(b Block) (value int, found bool, err error) {
	value, found, err = searchFirstDirectory(b)
	if errors.Is(err, head.ErrShort) {
		return 0, false, nil
	}
	return value, found, err
}

func searchFirstDirectory(b Block) (int, bool, error) {
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

// Valid returns an orientation from 1 to 8; any other
// value of the tag counts as 1.
func Valid(tag int) int {
	if tag < 1 || tag > 8 {
		return 1
	}
	return tag
}

// XMPOrientation returns what Pillow's pattern
// tiff:Orientation(="|>)([0-9]) finds, or 0.
func XMPOrientation(xmp []byte) int {
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
