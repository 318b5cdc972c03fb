// Package jpeg2000 reads the heads of JPEG 2000 images: JP2 files, JPX
// files and bare codestreams (ISO/IEC 15444-1, annexes A and I).
package jpeg2000

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/isobmff"
)

// Type is the type of JPEG 2000 images.
const Type head.Type = "jpeg2000"

// Format is the line of JPEG 2000 in the table of formats.
var Format = head.Format{
	Type:       Type,
	Extensions: []string{".jp2", ".j2k", ".jpc", ".jpf", ".jpx", ".j2c"},
	FirstRead:  4 << 10,
	Matches:    matches,
	Read:       read,
}

const (
	codestream = "\xff\x4f\xff\x51"
	signature  = "\x00\x00\x00\x0cjP  \r\n\x87\n"
)

var be = binary.BigEndian

func matches(start []byte) bool {
	text := string(start)
	return strings.HasPrefix(text, codestream) || strings.HasPrefix(text, signature)
}

// read reads the size in the header box or, of a bare codestream, in
// its marker SIZ, as Pillow does (Jpeg2KImagePlugin.py).
func read(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, Type, 12)
	if err != nil {
		return head.Head{}, err
	}
	if string(b[:4]) == codestream {
		return readSIZ(s)
	}
	outer, err := isobmff.Find(s, Type, 0, s.Size(), "jp2h")
	if err != nil {
		return head.Head{}, head.Cut(Type, err)
	}
	box, err := isobmff.Find(s, Type, outer.Off, outer.End(), "ihdr")
	if err != nil {
		return head.Head{}, head.Cut(Type, err)
	}
	if b, err = s.At(box.Off, 11); err != nil || box.Size < 11 {
		return head.Head{}, head.Cut(Type, shortIfNil(err))
	}
	height, width := int64(be.Uint32(b)), int64(be.Uint32(b[4:]))
	return withComponents(width, height, int(be.Uint16(b[8:])), int(b[10]))
}

func shortIfNil(err error) error {
	if err == nil {
		return head.ErrShort
	}
	return err
}

// readSIZ reads the marker SIZ behind the start of a codestream. The
// image may be a part of the reference grid.
func readSIZ(s *head.Source) (head.Head, error) {
	b, err := head.Front(s, Type, 43)
	if err != nil {
		return head.Head{}, err
	}
	if n := be.Uint16(b[4:]); n < 38 {
		return head.Head{}, head.Corrupt(Type, "the JPEG 2000's marker SIZ has %d bytes", n)
	}
	width := int64(be.Uint32(b[8:])) - int64(be.Uint32(b[16:]))
	height := int64(be.Uint32(b[12:])) - int64(be.Uint32(b[20:]))
	return withComponents(width, height, int(be.Uint16(b[40:])), int(b[42]))
}

// withComponents returns the head. bits is one less than the bits of a
// sample; 128 more mean samples with a sign.
func withComponents(width, height int64, components, bits int) (head.Head, error) {
	l := head.Layout{
		Components: components, Bits: bits&127 + 1, Transparent: components == 2 || components == 4,
	}
	h, err := head.Upright(Type, width, height, l)
	if components < 1 || components > 4 {
		h.Refusal = fmt.Sprintf("the JPEG 2000 has %d components", components)
	}
	return h, err
}
