package imagehead

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
)

const (
	pngSignature = 8
	pngIHDR      = pngSignature + 8 // where IHDR's content starts
	pngChunks    = 33               // where the chunk after it starts
)

// readPNG reads IHDR, which comes first, and looks for an eXIf chunk before
// the pixels (PNG 3rd edition, 11.3.4.5).
func readPNG(w *window) (Head, error) {
	b, err := w.at(pngSignature, pngChunks-pngSignature)
	if errors.Is(err, errShort) {
		return Head{}, corrupt(PNG, "the PNG ends within its header")
	}
	if err != nil {
		return Head{}, err
	}
	if string(b[:8]) != "\x00\x00\x00\rIHDR" {
		return Head{}, corrupt(PNG, "the PNG does not start with its header chunk, IHDR")
	}
	if crc32.ChecksumIEEE(b[4:21]) != binary.BigEndian.Uint32(b[21:]) {
		return Head{}, corrupt(PNG, "the checksum of the PNG's header does not match")
	}
	width, height := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	if width == 0 || height == 0 || width > math.MaxInt32 || height > math.MaxInt32 {
		return Head{}, corrupt(PNG, "the PNG's header says %d x %d pixels", width, height)
	}
	turned, err := exifChunk(w)
	if err != nil && !errors.Is(err, errShort) {
		return Head{}, err
	}
	return Head{Type: PNG, Width: int(width), Height: int(height), Orientation: sane(turned)}, nil
}

// exifChunk walks over the chunks up to the pixels. A walk that leads nowhere
// is no orientation, not a broken image: the size is known by then.
func exifChunk(w *window) (int, error) {
	for pos := int64(pngChunks); ; {
		b, err := w.at(pos, 8)
		if err != nil {
			return 0, err
		}
		n := int64(binary.BigEndian.Uint32(b))
		switch string(b[4:8]) {
		case "IDAT", "IEND":
			return 0, nil
		case "eXIf":
			v, _, err := orientation(block{w, pos + 8, n})
			return v, err
		}
		pos += 8 + n + 4
	}
}
