// Package headtest builds heads of images for tests.
package headtest

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
)

var be = binary.BigEndian

// Box returns a box of the ISO base media file format.
func Box(kind string, content ...string) string {
	body := strings.Join(content, "")
	return string(be.AppendUint32(nil, uint32(8+len(body)))) + kind + body
}

// Chunk returns a chunk of a PNG.
func Chunk(kind string, content ...string) string {
	body := kind + strings.Join(content, "")
	sum := int(crc32.ChecksumIEEE([]byte(body)))
	return Uint32(len(body)-4) + body + Uint32(sum)
}

// Uint32 returns numbers, each in four bytes, the highest first.
func Uint32(numbers ...int) string {
	var b []byte
	for _, n := range numbers {
		b = be.AppendUint32(b, uint32(n))
	}
	return string(b)
}

// HEIF returns a HEIF file without pixels. It has one item, of a size,
// with more properties.
func HEIF(brand string, width, height int, properties ...string) string {
	list := Box("ispe", Uint32(0, width, height)) + strings.Join(properties, "")
	numbers := string(rune(1 + len(properties)))
	for i := range 1 + len(properties) {
		numbers += string(rune(1 + i))
	}
	return Box("ftyp", brand, Uint32(0), "mif1") + Box("meta", Uint32(0),
		Box("pitm", Uint32(0), "\x00\x01"),
		Box("iprp", Box("ipco", list), Box("ipma", Uint32(0, 1), "\x00\x01", numbers)))
}
