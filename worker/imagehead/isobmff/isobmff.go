// Package isobmff walks over the boxes of files that are built like
// the ISO base media file format (ISO/IEC 14496-12, 4.2): HEIF, AVIF,
// JPEG 2000 and JPEG XL.
package isobmff

import (
	"encoding/binary"
	"iter"
	"math"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// maxBoxes is how many boxes side by side are walked over.
const maxBoxes = 10_000

// Box is one box of an object.
type Box struct {
	Type string // four characters
	Off  int64  // of its content
	Size int64  // of its content; it may claim more than the object has
}

// End returns the offset behind the box.
func (b Box) End() int64 { return b.Off + b.Size }

// Boxes yields the boxes from off to end, one beside the other. It
// ends with an error: head.ErrShort if a box ends within its header,
// an *head.Error if there are too many, or that of the source.
func Boxes(s *head.Source, t head.Type, off, end int64) iter.Seq2[Box, error] {
	return func(yield func(Box, error) bool) {
		for range maxBoxes {
			if off >= end {
				return
			}
			b, err := read(s, t, off, end)
			if !yield(b, err) || err != nil {
				return
			}
			off = b.End()
		}
		yield(Box{}, head.Corrupt(t, "the %s has more than %d boxes side by side", t, maxBoxes))
	}
}

// Find returns the first box of a type from off to end. Without one it
// returns head.ErrShort.
func Find(s *head.Source, t head.Type, off, end int64, box string) (Box, error) {
	for b, err := range Boxes(s, t, off, end) {
		if err != nil || b.Type == box {
			return b, err
		}
	}
	return Box{}, head.ErrShort
}

// read reads the header of the box at off. A size of 0 means that the
// box has all the rest, a size of 1 that the size follows in 8 bytes.
func read(s *head.Source, t head.Type, off, end int64) (Box, error) {
	b, err := s.At(off, 8)
	if err != nil {
		return Box{}, err
	}
	box := Box{Type: string(b[4:8]), Off: off + 8}
	size, header := uint64(binary.BigEndian.Uint32(b)), uint64(8)
	switch size {
	case 0:
		size = uint64(end - off)
	case 1:
		if b, err = s.At(off+8, 8); err != nil {
			return Box{}, err
		}
		size, header, box.Off = binary.BigEndian.Uint64(b), 16, off+16
	}
	if size < header || size > math.MaxInt64-uint64(off) {
		return Box{}, head.Corrupt(t, "the %s has a box %q of %d bytes", t, box.Type, size)
	}
	box.Size = int64(size - header)
	return box, nil
}
