package small

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// BMP is the line of Windows bitmaps in the table of formats.
var BMP = head.Format{
	Type:       "bmp",
	Extensions: []string{".bmp"},
	Matches:    head.Signature(0, "BM"),
	FirstRead:  4 << 10,
	Read:       readBMP,
}

// readBMP reads the header behind the file header of 14 bytes. Its
// length is its version.
func readBMP(r *head.Source) (head.Head, error) {
	h, err := DIB(r, 14, "bmp")
	if errors.Is(err, head.ErrShort) {
		return head.Head{}, head.Corrupt("bmp", "the BMP ends within its header")
	}
	return h, err
}

// DIB reads a bitmap header at an offset: OS/2's of 12 bytes, or
// Windows' of at least 40 (Microsoft, BITMAPCOREHEADER to
// BITMAPV5HEADER). A negative height means that the rows begin at the
// top.
func DIB(r *head.Source, at int64, t head.Type) (head.Head, error) {
	b, err := r.At(at, 4)
	if err != nil {
		return head.Head{}, err
	}
	size := int64(binary.LittleEndian.Uint32(b))
	h := head.Head{Type: t, Orientation: 1}
	var bits uint16
	var compression uint32
	var width, height int64
	switch size {
	case 12:
		if b, err = r.At(at, size); err != nil {
			return head.Head{}, err
		}
		width = int64(binary.LittleEndian.Uint16(b[4:]))
		height = int64(binary.LittleEndian.Uint16(b[6:]))
		bits = binary.LittleEndian.Uint16(b[10:])
	case 40, 52, 56, 64, 108, 124:
		if b, err = r.At(at, 40); err != nil {
			return head.Head{}, err
		}
		width = int64(binary.LittleEndian.Uint32(b[4:]))
		height = int64(int32(binary.LittleEndian.Uint32(b[8:])))
		bits, compression = binary.LittleEndian.Uint16(b[14:]), binary.LittleEndian.Uint32(b[16:])
	default:
		return head.Head{}, head.Corrupt(t, "no version of bitmaps has a header of %d bytes", size)
	}
	if height < 0 {
		height = -height
	}
	if width < 1 || height < 1 || width > 1<<31-1 || height > 1<<31-1 {
		return head.Head{}, head.Corrupt(t, "the bitmap's header says %d x %d", width, height)
	}
	h.Width, h.Height = int(width), int(height)
	h.Layout = dibLayout(bits)
	h.Refusal = dibRefusal(bits, compression)
	return h, nil
}

func dibLayout(bits uint16) head.Layout {
	switch {
	case bits <= 8:
		return head.Layout{Bits: int(bits), Components: 1, Palette: true}
	case bits == 32:
		return head.Layout{Bits: 8, Components: 4}
	}
	return head.Layout{Bits: 8, Components: 3}
}

// dibRefusal says why Pillow opens no such bitmap (Pillow 12.3,
// BmpImagePlugin.BIT2MODE and _bitmap).
func dibRefusal(bits uint16, compression uint32) string {
	switch bits {
	case 1, 4, 8, 16, 24, 32:
	default:
		return fmt.Sprintf("CVAT opens no bitmap with %d bits a pixel", bits)
	}
	const fields = 3
	switch {
	case compression > fields:
		return fmt.Sprintf("CVAT opens no bitmap with the compression %d", compression)
	case compression == fields && bits < 16:
		return fmt.Sprintf("CVAT opens no bitmap of %d bits a pixel with masks", bits)
	}
	return ""
}
