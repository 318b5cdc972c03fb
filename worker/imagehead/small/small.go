package small

import "encoding/binary"

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)

func pair(first, second uint32) (width, height int64) { return int64(first), int64(second) }

func shorts(first, second uint16) (width, height int64) { return int64(first), int64(second) }
