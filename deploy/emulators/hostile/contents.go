package hostile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"sync"
)

// pixels returns the start of a progressive JPEG with this many
// pixels in each direction and this many components. A decoder that
// trusts it takes memory for all of them.
func pixels(side uint16, components byte) func() []byte {
	return sync.OnceValue(func() []byte {
		frame := []byte{8}
		frame = binary.BigEndian.AppendUint16(frame, side)
		frame = binary.BigEndian.AppendUint16(frame, side)
		frame = append(frame, components)
		scan := []byte{components}
		for i := range components {
			frame = append(frame, i+1, 0x11, 0)
			scan = append(scan, i+1, 0)
		}
		image := []byte{0xff, 0xd8}
		image = segment(image, 0xdb, append([]byte{0}, make([]byte, 64)...))
		image = segment(image, 0xc2, frame)
		// One code of one bit, which stands for a difference of 0.
		image = segment(image, 0xc4, append([]byte{0, 1}, make([]byte, 16)...))
		image = segment(image, 0xda, append(scan, 0, 0, 0))
		return append(image, make([]byte, 64<<10)...)
	})
}

func segment(image []byte, marker byte, data []byte) []byte {
	image = append(image, 0xff, marker)
	image = binary.BigEndian.AppendUint16(image, uint16(len(data)+2))
	return append(image, data...)
}

// deepPNG returns a PNG whose pixels are all the same.
func deepPNG() func() []byte {
	return sync.OnceValue(func() []byte {
		const side, pixel = 8000, 8 // bytes of a pixel
		head := []byte("IHDR")
		head = binary.BigEndian.AppendUint32(head, side)
		head = binary.BigEndian.AppendUint32(head, side)
		head = append(head, 16, 6, 0, 0, 0)
		var rows bytes.Buffer
		z := zlib.NewWriter(&rows)
		for range side {
			_, _ = z.Write(make([]byte, 1+side*pixel))
		}
		_ = z.Close()
		png := chunk([]byte("\x89PNG\r\n\x1a\n"), head)
		png = chunk(png, append([]byte("IDAT"), rows.Bytes()...))
		return chunk(png, []byte("IEND"))
	})
}

// chunk appends a chunk to a PNG. data begins with its type.
func chunk(png, data []byte) []byte {
	png = binary.BigEndian.AppendUint32(png, uint32(len(data)-4))
	png = append(png, data...)
	return binary.BigEndian.AppendUint32(png, crc32.ChecksumIEEE(data))
}

func zeros() []byte { return make([]byte, 64<<10) }

// inImage returns annotations with one image, which has a name and
// holds shapes.
func inImage(name, shapes string) []byte {
	image := fmt.Sprintf(imageHead, 0, name) + shapes + "</image>"
	return []byte(documentHead + image + documentTail)
}

func nestedAnnotations() []byte {
	return inImage("images/0.jpg", strings.Repeat("<a>", depth)+strings.Repeat("</a>", depth))
}

func longName() []byte { return inImage(strings.Repeat("a/", 100_000)+"b.jpg", box) }

func sameAttribute() []byte {
	const attribute = `<attribute name="a">x</attribute>`
	open, end := strings.TrimSuffix(box, "</box>"), "</box>"
	return inImage("images/0.jpg", open+strings.Repeat(attribute, 8000)+end)
}

func masks() []byte {
	const mask = `<mask label="car" rle="0, 134217727" left="0" top="0" width="16384" height="8192"/>`
	return inImage("images/0.jpg", strings.Repeat(mask, 600))
}

func polygon() []byte {
	corners := strings.Repeat("1.00,1.00;5.25,1.00;5.25,5.25;", depth/3)
	return inImage("images/0.jpg", `<polygon label="car" points="`+corners+`1,1"/>`)
}

func manyImages() []byte {
	var b strings.Builder
	b.WriteString(documentHead)
	for i := range many {
		fmt.Fprintf(&b, imageHead+box+"</image>", i, fmt.Sprintf("images/no-%d.jpg", i))
	}
	return []byte(b.String() + documentTail)
}
