package imagehead

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
)

// PNG is the type of Portable Network Graphics.
const PNG Type = "png"

var pngFormat = format{
	is:         PNG,
	extensions: []string{".png", ".apng"},
	signatures: []signature{{0, pngSignature}},
	firstRead:  4 << 10, // the size is at the very front
	read:       readPNG,
}

const (
	pngSignature = "\x89PNG\r\n\x1a\n"
	// pngHeader is how many bytes there are up to the end of IHDR, the
	// first chunk: it has a length, a kind, 13 bytes of content and a
	// checksum.
	pngHeader = len(pngSignature) + 4 + 4 + 13 + 4
)

// readPNG reads IHDR, the first chunk, and looks for an eXIf chunk
// before the pixels (PNG 3rd edition, 11.3.4.5).
func readPNG(r *rangeReader) (Head, error) {
	b, err := r.at(int64(len(pngSignature)), int64(pngHeader-len(pngSignature)))
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

	h := Head{
		Type: PNG, Width: int(width), Height: int(height), Orientation: 1,
		Layout: pngLayout(b[16], b[17], b[20]),
	}
	err = readPNGChunks(r, &h)
	if err != nil && !errors.Is(err, errShort) {
		return Head{}, err
	}
	return h, nil
}

// pngLayout returns what the header says: the bits of a sample, the
// type of colour and the way of interlacing (PNG 3rd edition, 11.2.1).
func pngLayout(bits, colour, interlace byte) Layout {
	l := Layout{Bits: int(bits), Passes: interlace != 0}
	switch colour {
	case 0:
		l.Components = 1
	case 2:
		l.Components = 3
	case 3:
		l.Components, l.Palette = 1, true
	case 4:
		l.Components, l.Transparent = 2, true
	case 6:
		l.Components, l.Transparent = 4, true
	}
	return l
}

// readPNGChunks walks over the chunks up to the pixels. It looks for an
// orientation in eXIf, and for a transparent colour, tRNS. If the
// chunks are broken it returns errShort: the size of the image is
// known.
func readPNGChunks(r *rangeReader, h *Head) error {
	found := false
	for pos := int64(pngHeader); ; {
		b, err := r.at(pos, 8)
		if err != nil {
			return err
		}
		n := int64(binary.BigEndian.Uint32(b))
		switch string(b[4:8]) {
		case "IDAT", "IEND":
			return nil
		case "tRNS":
			h.Layout.Transparent = true
		case "eXIf":
			if found {
				break
			}
			found = true
			tag, _, err := exifOrientation(tiffBlock{r, pos + 8, n})
			if err != nil && !errors.Is(err, errShort) {
				return err
			}
			h.Orientation = validOrientation(tag)
		}
		pos += 8 + n + 4
	}
}
