package checksum

import (
	"bufio"
	"encoding/binary"
	"io"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/small"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/textual"
)

var (
	typePNM = textual.PNM.Type
	typeBMP = small.BMP.Type
)

// pnmRows reads the pixels of a PNM that has them as bytes.
type pnmRows struct {
	body   io.Reader
	row    []byte
	isBits bool // of single bits, in which 1 is black
	width  int
}

// openPNM reads the header. Pillow calculates other values than those
// of 1 and of 255 anew (PpmImagePlugin).
func openPNM(h head.Head, body *bufio.Reader) (rows, error) {
	kind, err := nextWord(body)
	if err != nil {
		return nil, err
	}
	p := pnmRows{body: body, width: h.Width}
	words := 3
	switch kind {
	case "P4":
		p.isBits, words = true, 2
		p.row = make([]byte, (h.Width+7)/8)
	case "P5":
		p.row = make([]byte, h.Width)
	case "P6":
		p.row = make([]byte, 3*h.Width)
	default:
		return nil, ErrNone
	}
	var last string
	for range words {
		if last, err = nextWord(body); err != nil {
			return nil, err
		}
	}
	if words == 3 && strings.TrimLeft(last, "0") != "255" {
		return nil, ErrNone
	}
	return &p, nil
}

// nextWord reads a word and the blank behind it. The head of the image
// has the same words, so they are short.
func nextWord(body *bufio.Reader) (string, error) {
	var word []byte
	for {
		b, err := body.ReadByte()
		if err != nil {
			return "", err
		}
		switch {
		case b == '#':
			for b != '\n' && b != '\r' {
				if b, err = body.ReadByte(); err != nil {
					return "", err
				}
			}
		case strings.IndexByte(" \t\n\v\f\r", b) < 0:
			word = append(word, b)
		case len(word) > 0:
			return string(word), nil
		}
		if len(word) > 10 {
			return "", ErrNone
		}
	}
}

func (p *pnmRows) next() ([]byte, error) {
	if _, err := io.ReadFull(p.body, p.row); err != nil {
		return nil, err
	}
	if p.isBits {
		for i := range p.row {
			p.row[i] = ^p.row[i]
		}
		clearEnd(p.row, p.width)
	}
	return p.row, nil
}

// bmpRows holds the pixels of a bitmap without compression.
type bmpRows struct {
	pixels []byte
	stride int // bytes of a row
	at     int // where the next row begins
	step   int // from row to row
	size   int // bytes of a pixel
	row    []byte
}

// storedBMP returns how many bytes the pixels take.
func storedBMP(h head.Head) int64 {
	return (int64(h.Width*h.Layout.Components) + 3) / 4 * 4 * int64(h.Height)
}

// openBMP reads all pixels, because the last row usually comes first. It
// takes pixels of 24 and 32 bits, which are RGB for Pillow, and those of
// 8 bits, which are L or P unless there are two colours
// (BmpImagePlugin, _bitmap).
func openBMP(h head.Head, body *bufio.Reader) (rows, error) {
	start := make([]byte, 14+40)
	if _, err := io.ReadFull(body, start); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	off, bits := int64(le.Uint32(start[10:])), int(le.Uint16(start[28:]))
	compression, colours := le.Uint32(start[30:]), le.Uint32(start[46:])
	isWindows := le.Uint32(start[14:]) >= 40
	isKnown := bits == 24 || bits == 32 || bits == 8 && colours != 2 && colours <= 256
	if !isWindows || !isKnown || compression != 0 || off < int64(len(start)) {
		return nil, ErrNone
	}
	if _, err := io.CopyN(io.Discard, body, off-int64(len(start))); err != nil {
		return nil, err
	}
	b := bmpRows{stride: (h.Width*bits + 31) / 32 * 4, size: bits / 8}
	if int64(b.stride)*int64(h.Height) != storedBMP(h) {
		return nil, ErrNone // it is another object than that of the head
	}
	b.pixels = make([]byte, b.stride*h.Height)
	if _, err := io.ReadFull(body, b.pixels); err != nil {
		return nil, err
	}
	b.row = make([]byte, h.Width*min(b.size, 3))
	b.at, b.step = len(b.pixels)-b.stride, -b.stride
	if topDown := int32(le.Uint32(start[22:])) < 0; topDown {
		b.at, b.step = 0, b.stride
	}
	return &b, nil
}

func (b *bmpRows) next() ([]byte, error) {
	row := b.pixels[b.at:][:b.stride]
	b.at += b.step
	if b.size == 1 {
		return row[:len(b.row)], nil
	}
	for i := range len(b.row) / 3 {
		from := row[i*b.size:]
		b.row[3*i], b.row[3*i+1], b.row[3*i+2] = from[2], from[1], from[0]
	}
	return b.row, nil
}
