package fastlist

import "math/bits"

// byteSet is a set of bytes.
type byteSet [4]uint64

// decimals holds the bytes 0 to 9 as text.
var decimals = byteSet{0x3ff << '0'}

func (s byteSet) with(b byte) byteSet {
	s[b/64] |= 1 << (b % 64)
	return s
}

func (s byteSet) has(b byte) bool { return s[b/64]&(1<<(b%64)) != 0 }

func (s byteSet) union(t byteSet) byteSet {
	return byteSet{s[0] | t[0], s[1] | t[1], s[2] | t[2], s[3] | t[3]}
}

func (s byteSet) intersection(t byteSet) byteSet {
	return byteSet{s[0] & t[0], s[1] & t[1], s[2] & t[2], s[3] & t[3]}
}

func (s byteSet) overlaps(t byteSet) bool {
	return s[0]&t[0]|s[1]&t[1]|s[2]&t[2]|s[3]&t[3] != 0
}

func (s byteSet) count() int {
	n := 0
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// below returns how many bytes of the set are less than b.
func (s byteSet) below(b byte) int {
	n := 0
	for i := range int(b / 64) {
		n += bits.OnesCount64(s[i])
	}
	return n + bits.OnesCount64(s[b/64]&(1<<(b%64)-1))
}

// nth returns the byte with n others below it. Of an empty set it
// returns 0.
func (s byteSet) nth(n int) byte {
	for i, word := range s {
		if c := bits.OnesCount64(word); n >= c {
			n -= c
			continue
		}
		for range n {
			word &= word - 1
		}
		return byte(i*64 + bits.TrailingZeros64(word))
	}
	return 0
}
