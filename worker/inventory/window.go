package inventory

import "hash/maphash"

// windowSize is how many keys a window remembers: more than a shard
// has.
const windowSize = 4096

// window remembers the last keys, to find rows that come again. A shard
// with a key twice could not be continued at that key. It holds hashes
// of 64 bits: two keys with the same one are less likely than faulty
// memory.
type window struct {
	seed maphash.Seed
	ring [windowSize]uint64
	next int
	has  map[uint64]bool
}

func newWindow() *window {
	return &window{seed: maphash.MakeSeed(), has: make(map[uint64]bool, windowSize)}
}

// add adds a key, and reports whether the window did not have it.
func (w *window) add(key string) bool {
	hash := maphash.String(w.seed, key)
	if w.has[hash] {
		return false
	}
	delete(w.has, w.ring[w.next])
	w.ring[w.next] = hash
	w.has[hash] = true
	w.next = (w.next + 1) % windowSize
	return true
}
