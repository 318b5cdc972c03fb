package imagehead

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

const (
	exifMagic = "Exif\x00\x00"
	xmpMagic  = "http://ns.adobe.com/xap/1.0/\x00"
)

// parse reads the head of an image that is in memory.
func parse(data []byte) (head.Head, error) {
	slice := func(off, n int64) ([]byte, error) { return data[off : off+n], nil }
	return Read(slice, int64(len(data)), int64(len(data)))
}

// jpegOf returns the start of a JPEG: SOI, the segments, a frame
// header of the size, and SOS.
func jpegOf(width, height int, segments ...[]byte) []byte {
	frame := []byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), 1, 1, 0x11, 0}
	out := []byte{0xff, 0xd8}
	for _, s := range segments {
		out = append(out, s...)
	}
	out = append(out, segmentOf(0xc0, frame)...)
	return append(out, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0)
}

func segmentOf(marker byte, content []byte) []byte {
	n := len(content) + 2
	return append([]byte{0xff, marker, byte(n >> 8), byte(n)}, content...)
}

// tiffOf returns a TIFF block with two entries before the
// orientation's.
func tiffOf(order binary.AppendByteOrder, orientation int) []byte {
	mark := "II*\x00"
	if order.String() == binary.BigEndian.String() {
		mark = "MM\x00*"
	}
	b := []byte(mark)
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 3)
	b = entryOf(order, b, 271, 0)
	b = entryOf(order, b, 272, 0)
	b = entryOf(order, b, 274, orientation)
	return order.AppendUint32(b, 0)
}

func entryOf(order binary.AppendByteOrder, b []byte, tag, value int) []byte {
	b = order.AppendUint16(b, uint16(tag))
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, uint16(value))
	return order.AppendUint16(b, 0)
}

func exifOf(order binary.AppendByteOrder, orientation int) []byte {
	return segmentOf(0xe1, append([]byte(exifMagic), tiffOf(order, orientation)...))
}

func xmpOf(text string) []byte { return segmentOf(0xe1, append([]byte(xmpMagic), text...)) }

// pngOf returns a PNG with a header, the chunks, and an empty IDAT.
func pngOf(width, height int, chunks ...[]byte) []byte {
	return pngFrom(width, height, []byte{8, 2, 0, 0, 0}, chunks...)
}

// pngWith returns a PNG of one pixel.
func pngWith(bits, colour, interlace byte) []byte {
	return pngFrom(1, 1, []byte{bits, colour, 0, 0, interlace})
}

func pngFrom(width, height int, mode []byte, chunks ...[]byte) []byte {
	header := binary.BigEndian.AppendUint32(nil, uint32(width))
	header = binary.BigEndian.AppendUint32(header, uint32(height))
	out := append([]byte("\x89PNG\r\n\x1a\n"), chunkOf("IHDR", append(header, mode...))...)
	out = append(out, bytes.Join(chunks, nil)...)
	return append(out, chunkOf("IDAT", nil)...)
}

func chunkOf(kind string, content []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	body := append([]byte(kind), content...)
	b = append(b, body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(body))
}

// webpOf returns a WebP of the extended format that has only EXIF.
func webpOf(exif string) []byte {
	size := binary.LittleEndian.AppendUint32
	b := append(size([]byte("RIFF"), uint32(30+len(exif))), "WEBPVP8X"...)
	b = append(size(b, 10), 12, 0, 0, 0, 9, 0, 0, 9, 0, 0)
	return append(size(append(b, "EXIF"...), uint32(len(exif))), exif...)
}
