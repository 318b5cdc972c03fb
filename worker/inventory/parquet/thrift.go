package parquet

import (
	"encoding/binary"
	"errors"
)

// The metadata of Parquet is in Thrift's compact protocol
// (thrift-compact-protocol.md of Apache Thrift).

var (
	errShort  = errors.New("the metadata ends too early")
	errNested = errors.New("the metadata is nested too deeply")
	errThrift = errors.New("the metadata is no Thrift structure")
)

// The types of Thrift values that have a meaning of their own here.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

// maxDepth is how deeply structures may be nested. Those of Parquet are
// 7 deep.
const maxDepth = 16

// cursor reads Thrift values from a text. After an error it has err, and
// what it returns has no meaning. It allocates nothing.
type cursor struct {
	rest []byte
	err  error
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.rest = nil
}

// bytes returns the next n bytes.
func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.fail(errShort)
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) byte() byte {
	if b := c.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (c *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.rest)
	if n <= 0 {
		c.fail(errShort)
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

// integer reads an integer of any width.
func (c *cursor) integer() int64 {
	v := c.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// text reads a string, at most as long as the rest.
func (c *cursor) text() string { return string(c.bytes(c.uvarint())) }

// fields calls do with the number and the type of each field of a
// structure. do must read the value, or skip it. The value of a bool is
// in its type.
func (c *cursor) fields(do func(number int16, kind byte)) {
	for number := int16(0); c.err == nil; {
		head := c.byte()
		kind := head & 0x0f
		if kind == 0 || c.err != nil {
			return
		}
		if delta := head >> 4; delta > 0 {
			number += int16(delta)
		} else {
			number = int16(c.integer())
		}
		do(number, kind)
	}
}

// list calls do with the type of each element of a list. A list with
// more than limit elements is an error.
func (c *cursor) list(limit uint64, do func(kind byte)) {
	head := c.byte()
	n := uint64(head >> 4)
	if n == 15 {
		n = c.uvarint()
	}
	if n > limit {
		c.fail(errors.New("a list of the metadata is too long"))
	}
	for ; n > 0 && c.err == nil; n-- {
		do(head & 0x0f)
	}
}

// skip reads over a value.
func (c *cursor) skip(kind byte) { c.skipDeep(kind, maxDepth) }

func (c *cursor) skipDeep(kind byte, depth int) {
	if depth == 0 {
		c.fail(errNested)
		return
	}
	switch kind {
	case thriftTrue, thriftFalse:
	case thriftByte:
		c.byte()
	case 4, 5, 6: // i16, i32, i64
		c.uvarint()
	case thriftDouble:
		c.bytes(8)
	case thriftBinary:
		c.bytes(c.uvarint())
	case thriftList, thriftSet:
		c.list(uint64(len(c.rest)), func(kind byte) { c.skipElement(kind, depth-1) })
	case thriftMap:
		c.skipMap(depth - 1)
	case thriftStruct:
		c.fields(func(_ int16, kind byte) { c.skipDeep(kind, depth-1) })
	default:
		c.fail(errThrift)
	}
}

// skipElement reads over a value in a list or a map, where a bool takes
// a byte.
func (c *cursor) skipElement(kind byte, depth int) {
	if kind == thriftTrue || kind == thriftFalse {
		kind = thriftByte
	}
	c.skipDeep(kind, depth)
}

func (c *cursor) skipMap(depth int) {
	n := c.uvarint()
	if n == 0 {
		return
	}
	kinds := c.byte()
	for ; n > 0 && c.err == nil; n-- {
		c.skipElement(kinds>>4, depth)
		c.skipElement(kinds&0x0f, depth)
	}
}
