// Package small reads the heads of types whose size stands in a few
// bytes at the front. The rules are those of Pillow 12.3, which CVAT
// 2.73 uses: what it refuses by the head is marked as refused.
package small

import "encoding/binary"

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)

func pair(first, second uint32) (width, height int64) { return int64(first), int64(second) }

func shorts(first, second uint16) (width, height int64) { return int64(first), int64(second) }
