package parquet

import (
	"encoding/binary"
	"fmt"
)

// hybrid reads numbers of a few bits each: runs of one number, and
// groups of eight numbers (Parquet's encoding RLE).
type hybrid struct {
	rest  []byte
	width uint // bits of a number

	left   uint64 // numbers of the current run or groups
	isRun  bool
	number uint32 // of the run
	groups []byte // the rest of the groups
	bit    uint   // of the next number, in the first byte of groups
}

const maxWidth = 32

func newHybrid(text []byte, width uint) (hybrid, error) {
	if width > maxWidth {
		return hybrid{}, fmt.Errorf("a page has numbers of %d bits", width)
	}
	return hybrid{rest: text, width: width}, nil
}

func (h *hybrid) next() (uint32, error) {
	for h.left == 0 {
		if err := h.begin(); err != nil {
			return 0, err
		}
	}
	h.left--
	if h.isRun {
		return h.number, nil
	}
	var value uint64
	for have := uint(0); have < h.width; {
		if len(h.groups) == 0 {
			return 0, errPage
		}
		n := min(8-h.bit, h.width-have)
		value |= uint64(h.groups[0]>>h.bit&(1<<n-1)) << have
		have += n
		if h.bit += n; h.bit == 8 {
			h.bit, h.groups = 0, h.groups[1:]
		}
	}
	return uint32(value), nil
}

// begin reads the head of the next run or groups.
func (h *hybrid) begin() error {
	head, n := binary.Uvarint(h.rest)
	if n <= 0 {
		return errPage
	}
	h.rest = h.rest[n:]
	h.left, h.isRun = head>>1, head&1 == 0
	if h.isRun {
		size := (h.width + 7) / 8
		if uint(len(h.rest)) < size {
			return errPage
		}
		var number [4]byte
		copy(number[:], h.rest[:size])
		h.number, h.rest = binary.LittleEndian.Uint32(number[:]), h.rest[size:]
		return nil
	}
	if h.width == 0 {
		h.left, h.isRun, h.number = min(h.left, 1<<40)*8, true, 0
		return nil
	}
	// The last groups may be cut off after their last number.
	size := uint64(len(h.rest))
	if h.left <= size { // no overflow
		size = min(size, h.left*uint64(h.width))
	}
	h.left = min(h.left, uint64(len(h.rest))+1) * 8
	h.groups, h.rest, h.bit = h.rest[:size], h.rest[size:], 0
	return nil
}
