// Package small reads the heads of formats that say at their start how
// large the image is. Each has its own file.
package small

import (
	"encoding/binary"
	"errors"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// GIF is the line of the Graphics Interchange Format in the table of
// formats.
var GIF = head.Format{
	Type:       "gif",
	Extensions: []string{".gif"},
	Matches: func(start []byte) bool {
		return len(start) >= 6 && (string(start[:6]) == "GIF87a" || string(start[:6]) == "GIF89a")
	},
	FirstRead: 4 << 10,
	Read:      readGIF,
}

// maxGIFBlocks limits what comes before the first frame.
const maxGIFBlocks = 1 << 16

// readGIF reads the size of the screen, and of the first frame, which
// may be larger: then Pillow takes the frame's (GIF89a specification,
// sections 18 and 20; Pillow 12.3, GifImagePlugin._seek).
func readGIF(r *head.Source) (head.Head, error) {
	h, err := gifHead(r)
	if errors.Is(err, head.ErrShort) {
		return head.Head{}, head.Corrupt("gif", "the GIF ends before its first frame")
	}
	return h, err
}

func gifHead(r *head.Source) (head.Head, error) {
	b, err := r.At(6, 7)
	if err != nil {
		return head.Head{}, err
	}
	h := head.Head{
		Type:        "gif",
		Width:       int(binary.LittleEndian.Uint16(b)),
		Height:      int(binary.LittleEndian.Uint16(b[2:])),
		Orientation: 1,
		Layout:      head.Layout{Bits: 8, Components: 1, Palette: true},
	}
	pos := int64(13) + gifColours(b[4])
	for range maxGIFBlocks {
		if b, err = r.At(pos, 1); err != nil {
			return head.Head{}, err
		}
		switch b[0] {
		case '!': // an extension: its kind, and blocks
			if pos, err = skipGIFBlocks(r, pos+2); err != nil {
				return head.Head{}, err
			}
		case ',':
			if b, err = r.At(pos+1, 8); err != nil {
				return head.Head{}, err
			}
			side := func(at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
			h.Width, h.Height = max(h.Width, side(0)+side(4)), max(h.Height, side(2)+side(6))
			if h.Width == 0 || h.Height == 0 {
				return h, head.Corrupt("gif", "the GIF has no width or no height")
			}
			return h, nil
		case ';':
			return head.Head{}, head.Corrupt("gif", "the GIF has no frame")
		default:
			pos++
		}
	}
	return h, head.Corrupt("gif", "the GIF has no frame in its first %d blocks", maxGIFBlocks)
}

// gifColours returns how many bytes the table of colours takes that
// flags announce.
func gifColours(flags byte) int64 {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// skipGIFBlocks returns where the blocks end that begin at an offset:
// behind an empty one.
func skipGIFBlocks(r *head.Source, pos int64) (int64, error) {
	for range maxGIFBlocks {
		b, err := r.At(pos, 1)
		if err != nil {
			return 0, err
		}
		pos += 1 + int64(b[0])
		if b[0] == 0 {
			return pos, nil
		}
	}
	return 0, head.Corrupt("gif", "the GIF has an extension of over %d blocks", maxGIFBlocks)
}
