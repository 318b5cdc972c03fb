// Package webp reads the heads of WebP images.
package webp

import (
	"encoding/binary"
	"errors"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/exif"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// Type is the type of WebP images, also of animated ones.
const Type head.Type = "webp"

// Format is the line of WebP in the table of formats.
var Format = head.Format{
	Type:       Type,
	Extensions: []string{".webp"},
	Matches: func(start []byte) bool {
		return len(start) >= 16 && string(start[:4]) == "RIFF" && string(start[8:12]) == "WEBP"
	},
	FirstRead: 4 << 10, // the size is at the very front
	Read:      read,
}

// The flags of a VP8X chunk (WebP container specification, "Extended
// File Format").
const (
	flagXMP   = 0x04
	flagEXIF  = 0x08
	flagAlpha = 0x10
)

const (
	maxChunks = 1 << 14 // an animation has one a frame
	maxXMP    = 1 << 20
)

// read reads the first chunk, which has the size. The extended format
// has its metadata behind the pixels.
func read(r *head.Source) (head.Head, error) {
	const start, need = 12, 30
	b, err := r.At(start, need-start)
	if errors.Is(err, head.ErrShort) {
		return head.Head{}, head.Corrupt(Type, "the WebP ends within its header")
	}
	if err != nil {
		return head.Head{}, err
	}
	h := head.Head{Type: Type, Orientation: 1, Layout: head.Layout{Bits: 8, Components: 3}}
	content := b[8:]
	flags := byte(0)
	switch kind := string(b[:4]); kind {
	case "VP8 ": // RFC 6386, 9.1
		if content[3] != 0x9d || content[4] != 0x01 || content[5] != 0x2a {
			return head.Head{}, head.Corrupt(Type, "the WebP has no start code")
		}
		h.Width = int(binary.LittleEndian.Uint16(content[6:]) & 0x3fff)
		h.Height = int(binary.LittleEndian.Uint16(content[8:]) & 0x3fff)
	case "VP8L": // WebP lossless specification, "RIFF Header"
		if content[0] != 0x2f {
			return head.Head{}, head.Corrupt(Type, "the WebP has no start code")
		}
		bits := binary.LittleEndian.Uint32(content[1:])
		h.Width, h.Height = int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
		h.Layout.Transparent = bits>>28&1 == 1
	case "VP8X":
		flags = content[0]
		h.Width, h.Height = uint24(content[4:])+1, uint24(content[7:])+1
		h.Layout.Transparent = flags&flagAlpha != 0
	default:
		return head.Head{}, head.Corrupt(Type, "the WebP starts with the unknown chunk %q", kind)
	}
	if h.Width == 0 || h.Height == 0 {
		return h, head.Corrupt(Type, "the WebP says that it has %d x %d pixels", h.Width, h.Height)
	}
	if h.Layout.Transparent {
		h.Layout.Components = 4
	}
	if flags&(flagEXIF|flagXMP) != 0 {
		h.Orientation, err = orientation(r, flags)
	}
	return h, err
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// orientation looks for the chunks EXIF and XMP that the flags announce.
// It jumps over all others, like libwebp, which Pillow uses. EXIF counts
// before XMP.
func orientation(r *head.Source, flags byte) (int, error) {
	xmp := 0
	pos := int64(12)
	for range maxChunks {
		if flags&(flagEXIF|flagXMP) == 0 {
			break
		}
		b, err := r.At(pos, 8)
		if err != nil {
			return exif.Valid(xmp), head.IgnoreShort(err)
		}
		n := int64(binary.LittleEndian.Uint32(b[4:]))
		switch kind := string(b[:4]); {
		case kind == "EXIF" && flags&flagEXIF != 0:
			flags &^= flagEXIF
			value, found, err := exif.Orientation(exif.BlockAt(r, pos+8, n))
			if err != nil || found {
				return exif.Valid(value), err
			}
		case kind == "XMP " && flags&flagXMP != 0:
			flags &^= flagXMP
			if n > maxXMP {
				break
			}
			text, err := r.At(pos+8, n)
			if err != nil {
				return 1, head.IgnoreShort(err)
			}
			xmp = exif.XMPOrientation(text)
		}
		pos += 8 + n + n&1
	}
	return exif.Valid(xmp), nil
}
