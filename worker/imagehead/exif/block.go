package exif

import "github.com/stevedore-jobs/stevedore/worker/imagehead/head"

// Block is a TIFF block in an object, or in memory.
type Block struct {
	source *head.Source
	parts  []part
	skip   int64 // bytes at the beginning that do not belong to it
}

// part is a range of the source.
type part struct{ off, size int64 }

// BlockAt returns the block in a range of an object.
func BlockAt(source *head.Source, off, size int64) Block {
	return Block{source: source, parts: []part{{off, size}}}
}

// BlockOf returns the block that data holds.
func BlockOf(data []byte) Block {
	fetch := func(off, n int64) ([]byte, error) { return data[off : off+n], nil }
	size := int64(len(data))
	return BlockAt(head.NewSource(fetch, size, size), 0, size)
}

// And returns the block with a further range of its object at its end.
func (b Block) And(off, size int64) Block {
	b.parts = append(b.parts[:len(b.parts):len(b.parts)], part{off, size})
	return b
}

// from returns the block behind its first bytes.
func (b Block) from(skip int64) Block {
	b.skip += skip
	return b
}

// at returns n bytes of the block, valid until the next call. It
// returns head.ErrShort if the block ends before them.
func (b Block) at(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 {
		return nil, head.ErrShort
	}
	var joined []byte
	off += b.skip
	for _, p := range b.parts {
		if off >= p.size {
			off -= p.size
			continue
		}
		some := min(n-int64(len(joined)), p.size-off)
		text, err := b.source.At(p.off+off, some)
		if err != nil || some == n {
			return text, err
		}
		if joined = append(joined, text...); int64(len(joined)) == n {
			return joined, nil
		}
		off = 0
	}
	return nil, head.ErrShort
}
