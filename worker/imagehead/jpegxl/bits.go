package jpegxl

// bits reads bits, the lowest of a byte first.
type bits struct {
	data  []byte
	pos   int  // in bits
	short bool // the data ended too early
}

func (b *bits) take(n int) int64 {
	var v int64
	for i := range n {
		if b.pos>>3 >= len(b.data) {
			b.short = true
			return 0
		}
		v |= int64(b.data[b.pos>>3]>>(b.pos&7)&1) << i
		b.pos++
	}
	return v
}

// ratios are the aspect ratios that a size may have in place of a
// width (ISO/IEC 18181-1, table D.2).
var ratios = [8][2]int64{1: {1, 1}, {12, 10}, {4, 3}, {3, 2}, {16, 9}, {5, 4}, {2, 1}}

// size reads a SizeHeader.
func (b *bits) size() (width, height int64) {
	small := b.take(1) == 1
	height = b.side(small)
	if r := ratios[b.take(3)]; r[1] != 0 {
		return height * r[0] / r[1], height
	}
	return b.side(small), height
}

// side reads a width or a height. Small ones are multiples of 8.
func (b *bits) side(small bool) int64 {
	if small {
		return 8 * (1 + b.take(5))
	}
	lengths := [...]int{9, 13, 18, 30}
	return 1 + b.take(lengths[b.take(2)])
}

// orientation reads the start of an ImageMetadata. The orientation is
// EXIF's; that of an EXIF box does not count.
func (b *bits) orientation() int {
	if allDefault := b.take(1) == 1; allDefault {
		return 1
	}
	if extraFields := b.take(1) == 1; !extraFields {
		return 1
	}
	return 1 + int(b.take(3))
}
