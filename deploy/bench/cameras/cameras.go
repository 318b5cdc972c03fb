// Package cameras makes JPEGs for benchmarks whose heads are like those
// of cameras and of programs that edit photographs: EXIF with a preview,
// XMP, ICC profiles, Photoshop's data, and lists of further images (MPF).
//
// The same number gives the same image. There are no pixels worth
// looking at.
package cameras

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"strings"
)

// maxContent is how much a segment of a JPEG holds, in bytes.
const maxContent = 65_000

// Image is a JPEG. Behind Head it has zeros up to Size.
type Image struct {
	Head []byte // up to the beginning of the pixels, and a few bytes of them
	Size int64
	// Width and Height are as stored.
	Width, Height int
}

// Mix returns image i of a mix of sources: of twenty images, eight come
// from phones, five from cameras, two from a program with much XMP, and
// five from programs that leave out nearly everything. One in fifty of
// the cameras' has a preview in segments of more than 64 KiB.
func Mix(i int) Image {
	r := rand.New(rand.NewPCG(11, uint64(i)))
	var b builder
	switch kind := i % 20; {
	case kind < 8:
		b.exif(r, 200+r.IntN(2000), 4_000+r.IntN(6_000))
		b.icc(548)
		b.mpf(r)
	case kind < 13:
		b.exif(r, 2_000+r.IntN(6_000), 4_000+r.IntN(8_000))
		b.xmp(1_000 + r.IntN(2_000))
		b.mpf(r)
		if r.IntN(50) == 0 {
			b.preview(r, 70_000+r.IntN(60_000))
		}
	case kind < 15:
		b.exif(r, 500, 5_000+r.IntN(3_000))
		b.segment(0xed, append([]byte("Photoshop 3.0\x00"), noise(r, 4_000+r.IntN(4_000))...))
		b.xmp(4_000 + r.IntN(12_000))
		b.icc(3_144)
	}
	return b.image(r)
}

// Wide returns image i of heads of many sources: their sizes are spread
// log-normally. The median is 20 KB, and 2 % are above 64 KB.
func Wide(i int) Image {
	r := rand.New(rand.NewPCG(12, uint64(i)))
	return ofSize(r, int(20_000*math.Exp(.566*r.NormFloat64())))
}

// Narrow returns image i of heads of a few cameras: the median is 20 KB,
// with a deviation of 3 KB, but 2 % are between 64 and 128 KB.
func Narrow(i int) Image {
	r := rand.New(rand.NewPCG(13, uint64(i)))
	if r.IntN(50) == 0 {
		return ofSize(r, 64_000+r.IntN(64_000))
	}
	return ofSize(r, max(2_000, int(20_000+3_000*r.NormFloat64())))
}

// ofSize returns an image whose head has about so many bytes.
func ofSize(r *rand.Rand, size int) Image {
	var b builder
	b.exif(r, 1_000, min(size/2, 50_000))
	b.icc(548)
	b.mpf(r)
	if rest := size - b.head.Len(); rest > 0 {
		b.preview(r, rest)
	}
	return b.image(r)
}

// builder writes the segments of a JPEG.
type builder struct{ head bytes.Buffer }

func (b *builder) segment(marker byte, content []byte) {
	b.head.Write([]byte{0xff, marker})
	b.head.Write(binary.BigEndian.AppendUint16(nil, uint16(len(content)+2)))
	b.head.Write(content)
}

// exif writes EXIF with a maker's note and a preview, of so many bytes.
func (b *builder) exif(r *rand.Rand, note, preview int) {
	const entries, start = 4, 8
	end := start + 2 + entries*12 + 4
	order := binary.BigEndian
	text := order.AppendUint32([]byte("Exif\x00\x00MM\x00*"), start)
	text = order.AppendUint16(text, entries)
	entry := func(tag, kind uint16, count, value uint32) {
		text = order.AppendUint16(order.AppendUint16(text, tag), kind)
		text = order.AppendUint32(order.AppendUint32(text, count), value)
	}
	entry(0x0112, 3, 1, uint32(1+r.IntN(8))<<16) // orientation
	entry(0x0201, 4, 1, uint32(end+note))        // the preview
	entry(0x0202, 4, 1, uint32(preview))
	entry(0x927c, 7, uint32(note), uint32(end))
	text = order.AppendUint32(text, 0)
	b.segment(0xe1, append(append(text, noise(r, note)...), noise(r, preview)...))
}

// xmp writes XMP of so many bytes.
func (b *builder) xmp(size int) {
	const begin = "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
	b.segment(0xe1, []byte(begin+strings.Repeat(" ", size)+"</x:xmpmeta>"))
}

func (b *builder) icc(size int) {
	b.segment(0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), make([]byte, size)...))
}

// mpf writes a list of two images.
func (b *builder) mpf(r *rand.Rand) {
	start := []byte("MPF\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00")
	b.segment(0xe2, append(start, noise(r, 80)...))
}

// preview writes a preview in segments, as some cameras do.
func (b *builder) preview(r *rand.Rand, size int) {
	for size > 0 {
		n := min(size, maxContent)
		b.segment(0xe4, noise(r, n))
		size -= n
	}
}

// image ends the head with tables and a frame header, as Go's encoder
// writes them.
func (b *builder) image(r *rand.Rand) Image {
	sizes := [...][2]int{{4032, 3024}, {6000, 4000}, {1920, 1080}, {1024, 768}}
	size := sizes[r.IntN(len(sizes))]
	var plain bytes.Buffer
	// Into memory it cannot fail.
	_ = jpeg.Encode(&plain, image.NewYCbCr(image.Rect(0, 0, 16, 16), 0), nil)
	start, tables := plain.Bytes()[:2], plain.Bytes()[2:]
	at := bytes.Index(tables, []byte{0xff, 0xc0}) + 5
	binary.BigEndian.PutUint16(tables[at:], uint16(size[1]))
	binary.BigEndian.PutUint16(tables[at+2:], uint16(size[0]))
	head := append(append(bytes.Clone(start), b.head.Bytes()...), tables...)
	return Image{head, int64(len(head)) + 500_000 + int64(r.IntN(3_000_000)), size[0], size[1]}
}

// noise returns random bytes without 0xff, which begins a marker.
func noise(r *rand.Rand, n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.IntN(255))
	}
	return data
}
