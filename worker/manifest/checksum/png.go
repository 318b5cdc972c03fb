package checksum

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"io"

	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

const typePNG = imagehead.PNG

// The colour types (PNG 3rd edition, table 9).
const (
	pngGrey      = 0
	pngRGB       = 2
	pngPalette   = 3
	pngGreyAlpha = 4
	pngRGBA      = 6
)

// pngRows decodes a PNG that is not interlaced.
type pngRows struct {
	pixels        io.Reader
	width         int
	bits, colour  byte
	before        []byte // the row before, as it is stored, behind its filter
	row           []byte // with its filter in front
	samples, size int    // of a pixel: samples, and bytes for filters
	out           []byte
}

// openPNG reads the chunks up to the pixels. An animation has no
// checksum: Pillow may put its first frame together.
func openPNG(h head.Head, body *bufio.Reader) (rows, error) {
	if _, err := body.Discard(8); err != nil {
		return nil, err
	}
	header, hasPalette := make([]byte, 13), false
	for {
		n, kind, err := nextChunk(body)
		if err != nil {
			return nil, err
		}
		switch kind {
		case "IHDR":
			if n != int64(len(header)) {
				return nil, ErrNone
			}
			if _, err := io.ReadFull(body, header); err != nil {
				return nil, err
			}
			n = 0
		case "acTL":
			return nil, ErrNone
		case "PLTE":
			hasPalette = true
		case "IDAT":
			if header[9] == pngPalette && !hasPalette {
				return nil, ErrNone
			}
			return newPNG(h, header[8], header[9], &pngData{body: body, left: n})
		}
		if _, err := io.CopyN(io.Discard, body, n+4); err != nil { // and its checksum
			return nil, err
		}
	}
}

// nextChunk reads the length and the kind of a chunk.
func nextChunk(body *bufio.Reader) (n int64, kind string, err error) {
	var start [8]byte
	if _, err := io.ReadFull(body, start[:]); err != nil {
		return 0, "", err
	}
	return int64(binary.BigEndian.Uint32(start[:])), string(start[4:]), nil
}

// pngData reads the content of the chunks IDAT, one after the other.
type pngData struct {
	body *bufio.Reader
	left int64 // of the chunk
	end  bool
}

func (d *pngData) Read(p []byte) (int, error) {
	for d.left == 0 && !d.end {
		if _, err := d.body.Discard(4); err != nil { // the checksum
			return 0, err
		}
		n, kind, err := nextChunk(d.body)
		if err != nil {
			return 0, err
		}
		d.left, d.end = n, kind != "IDAT"
	}
	if d.end {
		return 0, io.EOF
	}
	n, err := d.body.Read(p[:min(int64(len(p)), d.left)])
	d.left -= int64(n)
	return n, err
}

func newPNG(h head.Head, bits, colour byte, data io.Reader) (rows, error) {
	samples := map[byte]int{
		pngGrey: 1, pngRGB: 3, pngPalette: 1, pngGreyAlpha: 2, pngRGBA: 4,
	}[colour]
	pixels, err := zlib.NewReader(data)
	if err != nil || samples == 0 {
		return nil, ErrNone
	}
	n := (h.Width*samples*int(bits) + 7) / 8
	return &pngRows{
		pixels: pixels, width: h.Width, bits: bits, colour: colour,
		before: make([]byte, n), row: make([]byte, 1+n),
		samples: samples, size: max(1, samples*int(bits)/8),
	}, nil
}

func (p *pngRows) next() ([]byte, error) {
	if _, err := io.ReadFull(p.pixels, p.row); err != nil {
		return nil, err
	}
	if err := p.unfilter(p.row[0], p.row[1:]); err != nil {
		return nil, err
	}
	copy(p.before, p.row[1:])
	return p.convert(p.row[1:]), nil
}

// unfilter undoes the filter of a row (PNG 3rd edition, 9.2).
func (p *pngRows) unfilter(filter byte, row []byte) error {
	if filter > 4 {
		return ErrNone
	}
	for i := range row {
		var left, upperLeft byte
		if i >= p.size {
			left, upperLeft = row[i-p.size], p.before[i-p.size]
		}
		switch up := p.before[i]; filter {
		case 1:
			row[i] += left
		case 2:
			row[i] += up
		case 3:
			row[i] += byte((int(left) + int(up)) / 2)
		case 4:
			row[i] += paeth(left, up, upperLeft)
		}
	}
	return nil
}

// paeth is the function of that name (PNG 3rd edition, 9.4).
func paeth(left, up, upperLeft byte) byte {
	p := int(left) + int(up) - int(upperLeft)
	a, b, c := distance(p, left), distance(p, up), distance(p, upperLeft)
	switch {
	case a <= b && a <= c:
		return left
	case b <= c:
		return up
	}
	return upperLeft
}

func distance(a int, b byte) int {
	if d := a - int(b); d > 0 {
		return d
	}
	return int(b) - a
}

// convert returns a row as Pillow holds it (PngImagePlugin, _MODES).
func (p *pngRows) convert(row []byte) []byte {
	p.out = p.out[:0]
	switch {
	case p.bits == 1 && p.colour == pngGrey: // mode 1
		p.out = append(p.out, row...)
		clearEnd(p.out, p.width)
	case p.bits < 8: // modes L and P
		p.spread(row)
	case p.bits == 16 && p.colour == pngGrey: // I;16, the lowest byte first
		for i := 0; i < len(row); i += 2 {
			p.out = append(p.out, row[i+1], row[i])
		}
	case p.bits == 16 && p.colour == pngGreyAlpha: // RGBA
		for i := 0; i < len(row); i += 4 {
			p.out = append(p.out, row[i], row[i], row[i], row[i+2])
		}
	case p.bits == 16: // the higher bytes alone
		for i := 0; i < len(row); i += 2 {
			p.out = append(p.out, row[i])
		}
	default:
		return row
	}
	return p.out
}

// spread makes a byte of each sample. Grey ones become 0 to 255.
func (p *pngRows) spread(row []byte) {
	most := byte(1)<<p.bits - 1
	factor := byte(1)
	if p.colour == pngGrey {
		factor = 255 / most
	}
	for i := range p.width {
		at := i * int(p.bits)
		shift := 8 - int(p.bits) - at&7
		p.out = append(p.out, row[at>>3]>>shift&most*factor)
	}
}
