package fastlist

import "slices"

// contexts holds which bytes follow certain others in keys. It tells
// words of different lengths apart, which positions mix up: behind
// "ele" comes a "p", and behind "/" one of twelve letters.
type contexts map[tail]*follower

// tail is the end of the beginning of a key: how many words are before
// it, how many bytes it has, and these bytes, with 0 for each decimal
// digit.
type tail uint64

// follower is what was seen behind a tail.
type follower struct {
	bytes  byteSet
	seen   int                   // how often
	begins [minBeginnings]uint64 // hashes of the first beginnings of keys with this tail
	begun  int                   // how many of them are set
}

const (
	minTail, maxTail = 1, 4    // bytes
	maxContexts      = 1 << 14 // what is seen behind others is not noted
	// A set of bytes is taken for complete if each was seen so many
	// times on average, and behind so many beginnings of keys. The
	// second matters because keys are listed in order: all that was
	// seen behind one beginning may be the first of many.
	minSeen       = 8
	minBeginnings = 3
)

// tailOf returns the last bytes before a position of a key. word is how
// many words come before that position.
func tailOf(key string, at, size, word int) tail {
	t := tail(word)
	for i := at - min(at, size); i < at; i++ {
		b := key[i]
		if decimals.has(b) {
			b = '0'
		}
		t = t<<8 | tail(b)
	}
	return t<<4 | tail(size)
}

// withDecimal returns the tail behind one more decimal digit.
func (t tail) withDecimal() tail {
	size := t & 15
	text := tail(1)<<(8*size) - 1
	bytes := t >> 4 & text
	word := t >> 4 &^ text
	return (word|(bytes<<8|'0')&text)<<4 | size
}

// isSeparator reports whether a byte stands between words.
func isSeparator(b byte) bool {
	return b < 0x80 && (b < '0' || b > '9') && (b|0x20 < 'a' || b|0x20 > 'z')
}

func wordsBefore(key string, at int) (n int) {
	for _, b := range []byte(key[:at]) {
		if isSeparator(b) {
			n++
		}
	}
	return n
}

// add takes note of the byte at a position of a key. beginning is a
// hash of the bytes before it, and word how many words come before it.
func (c contexts) add(key string, at, word int, beginning uint64) {
	for size := minTail; size <= maxTail; size++ {
		t := tailOf(key, at, size, word)
		f := c[t]
		if f == nil {
			if len(c) >= maxContexts {
				continue
			}
			f = &follower{}
			c[t] = f
		}
		f.add(key[at], beginning)
	}
}

func (f *follower) add(b byte, beginning uint64) {
	f.bytes = f.bytes.with(b)
	f.seen++
	if f.begun < minBeginnings && !slices.Contains(f.begins[:f.begun], beginning) {
		f.begins[f.begun] = beginning
		f.begun++
	}
}

// complete returns which bytes occur behind a tail, if that is known.
func (c contexts) complete(t tail) (bytes byteSet, known bool) {
	f := c[t]
	if f == nil || f.begun < minBeginnings || f.seen < minSeen*f.bytes.count() {
		return byteSet{}, false
	}
	return f.bytes, true
}

// after returns which bytes occur behind the first bytes of a key, if
// that is known. The longest tail that is known counts.
func (c contexts) after(key string, at int) (bytes byteSet, known bool) {
	word := wordsBefore(key, at)
	for size := maxTail; size >= minTail && !known; size-- {
		t := tailOf(key, at, size, word)
		if bytes, known = c.complete(t); known {
			bytes = c.withNumbers(bytes, t)
		}
	}
	return bytes, known
}

// withNumbers returns all decimal digits if one is among the bytes
// behind a tail, and what occurs in the numbers that begin there. The
// first digits of a counter have not all been seen when a listing
// begins.
func (c contexts) withNumbers(bytes byteSet, t tail) byteSet {
	all, known := bytes, true
	for i := 0; i < maxTail && known && bytes.overlaps(decimals); i++ {
		all = all.union(decimals).union(bytes)
		t = t.withDecimal()
		bytes, known = c.complete(t)
	}
	return all
}
