package rastertest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
)

// PNG describes a PNG.
type PNG struct {
	Width, Height int
	Bits          int  // of a sample
	Colour        byte // 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha
	Interlaced    bool
	Transparent   bool // it names a transparent colour
}

// Bytes returns the file.
func (p PNG) Bytes() []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(p.Width))
	head = binary.BigEndian.AppendUint32(head, uint32(p.Height))
	head = append(head, byte(p.Bits), p.Colour, 0, 0, 0)
	if p.Interlaced {
		head[12] = 1
	}
	out := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", head)...)
	if p.Colour == 3 {
		out = append(out, chunk("PLTE", make([]byte, 3))...)
	}
	if p.Transparent {
		size := map[byte]int{0: 2, 2: 6, 3: 1}[p.Colour]
		out = append(out, chunk("tRNS", make([]byte, size))...)
	}
	out = append(out, chunk("IDAT", p.pixels())...)
	return append(out, chunk("IEND", nil)...)
}

// pixels returns rows of zeros, compressed.
func (p PNG) pixels() []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	zeros := make([]byte, 1<<16)
	for left := p.rawSize(); left > 0; {
		n, _ := w.Write(zeros[:min(left, len(zeros))]) // a buffer takes all
		left -= n
	}
	_ = w.Close() // a buffer takes all
	return out.Bytes()
}

func (p PNG) rawSize() int {
	if !p.Interlaced {
		return p.pass(p.Width, p.Height)
	}
	total := 0
	passes := [][4]int{ // across and down: first, step (PNG 3rd edition, 8.1)
		{0, 8, 0, 8}, {4, 8, 0, 8}, {0, 4, 4, 8}, {2, 4, 0, 4},
		{0, 2, 2, 4}, {1, 2, 0, 2}, {0, 1, 1, 2},
	}
	for _, s := range passes {
		total += p.pass((p.Width-s[0]+s[1]-1)/s[1], (p.Height-s[2]+s[3]-1)/s[3])
	}
	return total
}

func (p PNG) pass(width, height int) int {
	if width < 1 || height < 1 {
		return 0
	}
	samples := map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[p.Colour]
	return height * (1 + (width*samples*p.Bits+7)/8)
}

func chunk(kind string, content []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	body := append([]byte(kind), content...)
	out = append(out, body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
}
