// Package icons reads the heads of files with several images for one
// icon. The size is that of the image that Pillow takes, the largest.
package icons

import (
	"cmp"
	"encoding/binary"
	"math/bits"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// ICO is the format of Windows icons (Microsoft, "Icons").
var ICO = head.Format{
	Type:       "ico",
	Extensions: []string{".ico"},
	FirstRead:  4 << 10,
	Matches:    head.Signature(0, "\x00\x00\x01\x00"),
	Read:       readICO,
}

// CUR is the format of Windows cursors.
var CUR = head.Format{
	Type:       "cur",
	Extensions: []string{".cur"},
	FirstRead:  4 << 10,
	Matches:    head.Signature(0, "\x00\x00\x02\x00"),
	Read:       readCUR,
}

var le, be = binary.LittleEndian, binary.BigEndian

// image is one line of the directory of an icon or a cursor.
type image struct {
	width, height byte // 0 means 256 in an icon
	depth         int  // in bits of colour, as Pillow counts them
	off           int64
}

// area is the number of pixels.
func (i image) area() int { return side(i.width) * side(i.height) }

func side(b byte) int { return cmp.Or(int(b), 256) }

// largest reads the directory, and returns the image that is better
// than all before it.
func largest(s *head.Source, t head.Type, better func(a, than image) bool) (image, error) {
	b, err := head.Front(s, t, 6)
	if err != nil {
		return image{}, err
	}
	count := int64(le.Uint16(b[4:]))
	if count == 0 {
		return image{}, head.Corrupt(t, "the %s has no images", t)
	}
	var best image
	for i := range count {
		b, err := s.At(6+16*i, 16)
		if err != nil {
			return image{}, head.Cut(t, err)
		}
		colours := 0
		if b[2] > 1 {
			colours = bits.Len8(b[2] - 1)
		}
		one := image{
			width: b[0], height: b[1], off: int64(le.Uint32(b[12:])),
			depth: cmp.Or(int(le.Uint16(b[6:])), colours, 256),
		}
		if i == 0 || better(one, best) {
			best = one
		}
	}
	return best, nil
}

// readICO reads the header of the image with the most pixels and, of
// equal ones, the fewest colours (IcoImagePlugin.py). It is a PNG or a
// bitmap.
func readICO(s *head.Source) (head.Head, error) {
	best, err := largest(s, "ico", func(a, than image) bool {
		if a.area() != than.area() {
			return a.area() > than.area()
		}
		return a.depth < than.depth
	})
	if err != nil {
		return head.Head{}, err
	}
	b, err := s.At(best.off, 26)
	if err != nil {
		return head.Head{}, head.Cut("ico", err)
	}
	if string(b[:8]) != "\x89PNG\r\n\x1a\n" {
		return bitmap(s, "ico", best.off)
	}
	width, height := int64(be.Uint32(b[16:])), int64(be.Uint32(b[20:]))
	return head.Upright("ico", width, height, head.Layout{Bits: int(b[24]), Palette: b[25] == 3})
}

// readCUR reads the header of the largest bitmap (CurImagePlugin.py).
func readCUR(s *head.Source) (head.Head, error) {
	best, err := largest(s, "cur", func(a, than image) bool {
		return a.width > than.width && a.height > than.height
	})
	if err != nil {
		return head.Head{}, err
	}
	return bitmap(s, "cur", best.off)
}
