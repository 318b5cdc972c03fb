package fastlist

import (
	"math"
	"slices"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// keyModel holds which bytes keys have at each position, and behind
// which others. With it a key is read as a number whose digits are
// those bytes. See the example in the package comment.
type keyModel struct {
	positions []position
	contexts  contexts
}

// position holds the bytes that were seen at one position of keys.
type position struct {
	seen     [256]uint16 // how often each byte was seen lately
	total    int         // sum of seen
	expected byteSet     // the bytes that count as digits
}

const (
	maxTotal = 4096 // observations after which those before count half
	rareness = 64   // a byte that is seen so many times less often than another is no digit
)

// pageSpan is how far apart the ends of two pages are, at a key.
type pageSpan struct {
	key      string
	position int     // of the digit that size counts, in key
	size     float64 // in units of that digit; 0 if it is not known
}

// learn adds the bytes of a key to the model.
func (m *keyModel) learn(key string) {
	for len(m.positions) < len(key) {
		m.positions = append(m.positions, position{})
	}
	if m.contexts == nil {
		m.contexts = contexts{}
	}
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	word, hash := 0, uint64(offset)
	for i := range len(key) {
		m.positions[i].add(key[i])
		if m.positions[i].expected.count() > 1 {
			m.contexts.add(key, i, word, hash)
		}
		if isSeparator(key[i]) {
			word++
		}
		hash = (hash ^ uint64(key[i])) * prime
	}
}

func (p *position) add(b byte) {
	p.seen[b]++
	if p.total++; p.total < maxTotal && p.expected.has(b) {
		return
	}
	if p.total == maxTotal {
		p.total = 0
		for i := range p.seen {
			p.seen[i] /= 2
			p.total += int(p.seen[i])
		}
	}
	p.updateExpected()
}

// updateExpected takes the bytes that were seen often. If a decimal
// digit is among them, it takes all decimal digits.
func (p *position) updateExpected() {
	most := slices.Max(p.seen[:])
	p.expected = byteSet{}
	for b, n := range p.seen {
		if n > most/rareness {
			p.expected = p.expected.with(byte(b))
		}
	}
	if p.expected.overlaps(decimals) {
		p.expected = p.expected.union(decimals)
	}
}

// digits returns the bytes that are digits behind the first bytes of a
// key.
func (m *keyModel) digits(key string, at int) byteSet {
	all := m.atPosition(at)
	if all.count() < 2 || at > len(key) {
		return all
	}
	if some, known := m.contexts.after(key, at); known {
		if both := all.intersection(some); both.count() > 0 {
			return both
		}
	}
	return all
}

// atPosition returns the bytes that are digits at a position. The high
// digits of a counter have not all been seen when the listing begins.
// So positions with decimal digits that follow each other share their
// bytes.
func (m *keyModel) atPosition(at int) byteSet {
	var all byteSet
	for i := at; i < len(m.positions); i++ {
		next := m.positions[i].expected
		if i > at && (!next.overlaps(decimals) || !all.overlaps(decimals)) {
			break
		}
		all = all.union(next)
	}
	return all
}

// base returns how many digits there are at a position of a key; at
// least 1.
func (m *keyModel) base(key string, at int) float64 {
	return float64(max(1, m.digits(key, at).count()))
}

const (
	valuePrecision = 1e12 // the value of a key is computed to this part of a digit
	pointPrecision = 20   // split points are rounded down to this part of their distance
)

// value returns a key as a number, in units of the digit at a position.
// Earlier positions do not count.
func (m *keyModel) value(key string, at int) float64 {
	value, scale := 0.0, 1.0
	for i := at; i < len(key) && i < len(m.positions) && scale < valuePrecision; i++ {
		digits := m.digits(key, i)
		n := digits.count()
		if n < 2 {
			continue // always the same byte
		}
		if i > at {
			scale *= float64(n)
		}
		value += float64(digits.below(key[i])) / scale
	}
	return value
}

// span returns how far apart the ends of pages are on average.
func (m *keyModel) span(pageEnds []string) pageSpan {
	if len(pageEnds) < 2 {
		return pageSpan{}
	}
	first, last := pageEnds[0], pageEnds[len(pageEnds)-1]
	at := keyorder.FirstDifference(first, last)
	distance := m.value(last, at) - m.value(first, at)
	return pageSpan{first, at, max(0, distance) / float64(len(pageEnds)-1)}
}

// pagesBetween returns how many pages there are between two keys; 0 if
// that is not known.
func (m *keyModel) pagesBetween(from, to string, span pageSpan) float64 {
	if to == "" || span.size <= 0 {
		return 0
	}
	at := keyorder.FirstDifference(from, to)
	distance := max(0, m.value(to, at)-m.value(from, at))
	return distance * m.unit(from, at) / m.share(span)
}

// unit returns which part of the keys begins like a key up to a
// position, if all digits are equally frequent.
func (m *keyModel) unit(key string, at int) float64 {
	unit := 1.0
	for i := range min(at+1, len(m.positions)) {
		unit /= m.base(key, i)
	}
	return unit
}

// share returns which part of the keys a page has.
func (m *keyModel) share(span pageSpan) float64 {
	return span.size * m.unit(span.key, span.position)
}

// at returns a part of all keys in units of a digit of a key: the first
// that is not larger.
func (m *keyModel) at(key string, share float64) pageSpan {
	unit := 1.0
	for i := range len(key) {
		unit /= m.base(key, i)
		if unit <= share || i == len(key)-1 {
			return pageSpan{key, i, share / unit}
		}
	}
	return pageSpan{}
}

// splitPoints returns up to n keys between last and end, in order. Each
// lies so many pages behind the one before. There are fewer if end is
// near.
func (m *keyModel) splitPoints(last, end string, span pageSpan, pages float64, n int) []string {
	var points []string
	for k := 1; k <= n; k++ {
		step := m.at(last, m.share(span)*pages*float64(k))
		point, ok := m.advance(last, step, step.size/float64(k)/pointPrecision)
		if !ok || end != "" && point >= end {
			break
		}
		if point > last { // else try a longer step
			points = append(points, point)
			last, k, n = point, 0, n-1
		}
	}
	return points
}

// advance returns the key that lies a step behind another one, rounded
// down to a precision. It returns false if no key is so large.
//
// In the example of the package comment, advance("img-003000", {6, 4})
// computes the value 7.0 at position 6. Its whole part gives the digit
// there, 7, and the rest gives the digits behind it.
func (m *keyModel) advance(key string, step pageSpan, precision float64) (string, bool) {
	at := step.position
	if step.size <= 0 {
		return "", false
	}
	value := m.value(key, at) + step.size
	whole := math.Floor(value)
	point, ok := m.withDigit(key[:at], at, whole)
	if !ok {
		return "", false
	}

	rest, scale := value-whole, 1.0
	for i := at + 1; i < len(m.positions) && scale > precision; i++ {
		digits := m.digits(string(point), i)
		n := float64(digits.count())
		digit := math.Floor(rest * n)
		rest = rest*n - digit
		scale /= n
		point = append(point, digits.nth(int(digit)))
	}
	return validText(string(point)), true
}

// withDigit appends a digit to the beginning of a key. If the digit is
// too large for the position, it is carried to the positions before: 11
// becomes 1 and a carry of 1. It returns false if the first position
// overflows too.
func (m *keyModel) withDigit(prefix string, at int, digit float64) ([]byte, bool) {
	base := m.base(prefix, at)
	carry := math.Floor(digit / base)
	point := append([]byte(prefix), m.digits(prefix, at).nth(int(digit-carry*base)))
	for i := len(prefix) - 1; i >= 0 && carry > 0; i-- {
		digits := m.digits(prefix, i)
		if digits.count() < 2 {
			continue // always the same byte
		}
		base = float64(digits.count())
		digit = float64(digits.below(point[i])) + carry
		carry = math.Floor(digit / base)
		point[i] = digits.nth(int(digit - carry*base))
	}
	return point, carry == 0
}

// validText returns a key up to the first byte that is not UTF-8,
// because clouds refuse such keys.
func validText(key string) string {
	for i, r := range key {
		if r == utf8.RuneError {
			return key[:i]
		}
	}
	return key
}
