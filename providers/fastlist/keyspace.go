package fastlist

import (
	"math"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// alphabet is which bytes keys have where. With it a key counts as a number
// whose digits are those bytes, which tells about where the keys some pages
// further on must be. A wrong guess costs requests, never a key.
type alphabet []counts

// counts is how often each byte was seen lately at one position, and which of
// them to expect there.
type counts struct {
	of       [256]uint16
	sum      int
	expected letters
}

// stride is how far apart two keys are: size in units of the digit at a
// position.
type stride struct {
	at   int
	size float64
}

func (s stride) times(n float64) stride { return stride{s.at, s.size * n} }

func (a *alphabet) learn(key string) {
	for len(*a) < len(key) {
		*a = append(*a, counts{})
	}
	for i := range len(key) {
		(*a)[i].add(key[i])
	}
}

const (
	memory = 4096 // bytes after which those seen before count half
	rare   = 64   // times more often than another: too rare to expect that one
)

func (c *counts) add(b byte) {
	c.of[b]++
	if c.sum++; c.sum < memory && c.expected.has(b) {
		return
	}
	if c.sum == memory {
		c.sum = 0
		for i := range c.of {
			c.of[i] /= 2
			c.sum += int(c.of[i])
		}
	}
	c.expect()
}

// expect takes the bytes that are seen often, and all decimal digits with
// any.
func (c *counts) expect() {
	most := slices.Max(c.of[:])
	c.expected = letters{}
	for b, n := range c.of {
		if n > most/rare {
			c.expected = c.expected.with(byte(b))
		}
	}
	if c.expected.overlaps(decimals) {
		c.expected = c.expected.union(decimals)
	}
}

// digits is the bytes to expect at a position. A counter's high digits have
// not all been seen when it begins; where there are digits, what comes next
// to them is of the same sort.
func (a *alphabet) digits(at int) letters {
	var all letters
	for i := at; i < len(*a); i++ {
		next := (*a)[i].expected
		if i > at && (!next.overlaps(decimals) || !all.overlaps(decimals)) {
			break
		}
		all = all.union(next)
	}
	return all
}

const (
	precision = 1e12 // how far the value of a key is worked out
	fineness  = 20   // parts of a stride that points are rounded down to
)

// value is a key as a number in units of the digit at a position.
func (a *alphabet) value(key string, at int) float64 {
	value, scale := 0.0, 1.0
	for i := at; i < len(key) && i < len(*a) && scale < precision; i++ {
		digits := a.digits(i)
		if n := digits.count(); n > 1 {
			if i > at {
				scale *= float64(n)
			}
			value += float64(digits.below(key[i])) / scale
		}
	}
	return value
}

// measure is how far apart the keys are on average, or nothing when that
// cannot be told.
func (a *alphabet) measure(keys []string) stride {
	if len(keys) < 2 {
		return stride{}
	}
	first, last := keys[0], keys[len(keys)-1]
	at := common(first, last)
	return stride{at, max(0, a.value(last, at)-a.value(first, at)) / float64(len(keys)-1)}
}

// distance is how many strides there are between two keys; 0 when that cannot
// be told.
func (a *alphabet) distance(from, to string, s stride) float64 {
	if to == "" || s.size <= 0 {
		return 0
	}
	at := common(from, to)
	for i := at + 1; i <= s.at && i < len(*a); i++ {
		s.size /= float64(max(1, a.digits(i).count()))
	}
	for i := s.at + 1; i <= at && i < len(*a); i++ {
		s.size *= float64(max(1, a.digits(i).count()))
	}
	return max(0, a.value(to, at)-a.value(from, at)) / s.size
}

// common is how many bytes two keys begin with alike.
func common(x, y string) int {
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}

// points are at most n keys between last and end that are a stride apart,
// fewer when end is near.
func (a *alphabet) points(last, end string, s stride, n int) []string {
	var points []string
	for k := 1; k <= n && s.size > 0; k++ {
		point, ok := a.move(last, s.times(float64(k)), s.size/fineness)
		if !ok || past(point, end) || point == end {
			break
		}
		if point > last {
			points = append(points, point)
			last, k, n = point, 0, n-1
		}
	}
	return points
}

// move is the key that lies a stride behind another, to a precision.
func (a *alphabet) move(key string, s stride, precise float64) (string, bool) {
	if s.at > len(key) {
		return "", false
	}
	value := a.value(key, s.at) + s.size
	whole := math.Floor(value)
	point, ok := a.carry(key[:s.at], a.digits(s.at), whole)
	if !ok {
		return "", false
	}
	rest, scale := value-whole, 1.0
	for i := s.at + 1; i < len(*a) && scale > precise; i++ {
		digits := a.digits(i)
		n := digits.count()
		digit := math.Floor(rest * float64(n))
		rest = rest*float64(n) - digit
		scale /= float64(n)
		point = append(point, digits.nth(int(digit)))
	}
	return valid(string(point)), true
}

// carry appends a digit, and counts up the ones before it when it is too
// large.
func (a *alphabet) carry(before string, digits letters, digit float64) ([]byte, bool) {
	n := float64(max(1, digits.count()))
	over := math.Floor(digit / n)
	point := append([]byte(before), digits.nth(int(digit-over*n)))
	for i := len(before) - 1; i >= 0 && over > 0; i-- {
		digits = a.digits(i)
		n = float64(max(1, digits.count()))
		if n == 1 {
			continue
		}
		digit = float64(digits.below(point[i])) + over
		over = math.Floor(digit / n)
		point[i] = digits.nth(int(digit - over*n))
	}
	return point, over == 0
}

// valid is a key up to where it stops being text: clouds refuse anything
// else.
func valid(key string) string {
	for i, r := range key {
		if r == utf8.RuneError {
			return key[:i]
		}
	}
	return key
}

// letters is a set of bytes.
type letters [4]uint64

// decimals is the bytes 0 to 9.
var decimals = letters{0x3ff << '0'}

func (l letters) with(b byte) letters {
	l[b/64] |= 1 << (b % 64)
	return l
}

func (l letters) has(b byte) bool { return l[b/64]&(1<<(b%64)) != 0 }

func (l letters) union(m letters) letters {
	return letters{l[0] | m[0], l[1] | m[1], l[2] | m[2], l[3] | m[3]}
}

func (l letters) overlaps(m letters) bool {
	return l[0]&m[0]|l[1]&m[1]|l[2]&m[2]|l[3]&m[3] != 0
}

func (l letters) count() int {
	return bits.OnesCount64(l[0]) + bits.OnesCount64(l[1]) + bits.OnesCount64(l[2]) + bits.OnesCount64(l[3])
}

// below is how many bytes of the set are less than b.
func (l letters) below(b byte) int {
	n := 0
	for i := range int(b / 64) {
		n += bits.OnesCount64(l[i])
	}
	return n + bits.OnesCount64(l[b/64]&(1<<(b%64)-1))
}

// nth is the byte that has n others below it; of an empty set 0.
func (l letters) nth(n int) byte {
	for i, word := range l {
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
