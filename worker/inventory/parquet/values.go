package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var errPage = errors.New("a page ends too early")

// values are the values of a page or a dictionary, one after the other.
type values interface {
	// next returns the next value. It is valid until the next call.
	next() ([]byte, error)
}

// plain reads values as they are.
type plain struct {
	rest []byte
	kind int64
	bit  uint // of a boolean, in the first byte of rest
	one  [1]byte
}

func (p *plain) next() ([]byte, error) {
	switch p.kind {
	case typeBoolean:
		return p.boolean()
	case typeInt32:
		return p.take(4)
	case typeInt64:
		return p.take(8)
	}
	n, err := p.take(4)
	if err != nil {
		return nil, err
	}
	return p.take(uint64(binary.LittleEndian.Uint32(n)))
}

func (p *plain) take(n uint64) ([]byte, error) {
	if n > uint64(len(p.rest)) {
		return nil, errPage
	}
	value := p.rest[:n]
	p.rest = p.rest[n:]
	return value, nil
}

func (p *plain) boolean() ([]byte, error) {
	if len(p.rest) == 0 {
		return nil, errPage
	}
	p.one[0] = p.rest[0] >> p.bit & 1
	if p.bit++; p.bit == 8 {
		p.bit, p.rest = 0, p.rest[1:]
	}
	return p.one[:], nil
}

// dictionary holds the values that data pages refer to.
type dictionary struct {
	text []byte
	ends []uint32 // where each value ends in text
	lead uint32   // bytes of length before each value
}

// maxEntries is how many values a dictionary may have. The end of each
// takes four bytes.
const maxEntries = 1 << 20

func newDictionary(text []byte, kind, count int64) (*dictionary, error) {
	if count > maxEntries || count > int64(len(text))+1 {
		return nil, fmt.Errorf("a dictionary has %d values in %d bytes", count, len(text))
	}
	d := &dictionary{text: text, ends: make([]uint32, 0, count)}
	if kind == typeByteArray {
		d.lead = 4
	}
	p := &plain{rest: text, kind: kind}
	for range count {
		if _, err := p.next(); err != nil {
			return nil, err
		}
		d.ends = append(d.ends, uint32(len(text)-len(p.rest)))
	}
	return d, nil
}

func (d *dictionary) at(i uint32) ([]byte, error) {
	if int64(i) >= int64(len(d.ends)) {
		return nil, fmt.Errorf("a page refers to value %d of %d", i, len(d.ends))
	}
	start := uint32(0)
	if i > 0 {
		start = d.ends[i-1]
	}
	return d.text[start+d.lead : d.ends[i]], nil
}

// indexed reads values by their places in a dictionary.
type indexed struct {
	places hybrid
	from   *dictionary
}

func (x *indexed) next() ([]byte, error) {
	i, err := x.places.next()
	if err != nil {
		return nil, err
	}
	return x.from.at(i)
}

// bools reads booleans that are encoded as runs.
type bools struct {
	runs hybrid
	one  [1]byte
}

func (b *bools) next() ([]byte, error) {
	v, err := b.runs.next()
	b.one[0] = byte(v & 1)
	return b.one[:], err
}
