package natsort

import (
	"unicode"
	"unicode/utf8"
)

// isNumeric reports whether a character is a number or a part of
// one.
func isNumeric(r rune) bool { return isDecimal(r) || findSingle(r) != nil }

// isDecimal reports whether a character is a digit of a decimal
// number, in any script.
func isDecimal(r rune) bool {
	if r < utf8.RuneSelf {
		return '0' <= r && r <= '9'
	}
	return unicode.Is(unicode.Nd, r)
}

// digitValue returns the value of a numeric character, 0 to 9.
func digitValue(r rune) byte {
	if r < utf8.RuneSelf {
		return byte(r - '0')
	}
	if s := findSingle(r); s != nil {
		return byte(r-s.first) + s.value
	}
	// Each script has its ten digits in a row. Where the digits
	// of several scripts or styles follow each other, each row
	// begins with a zero (The Unicode Standard, 4.6).
	for _, some := range unicode.Nd.R16 {
		if rune(some.Lo) <= r && r <= rune(some.Hi) {
			return byte((r - rune(some.Lo)) % 10)
		}
	}
	for _, some := range unicode.Nd.R32 {
		if rune(some.Lo) <= r && r <= rune(some.Hi) {
			return byte((r - rune(some.Lo)) % 10)
		}
	}
	return 0
}

// singles are rows of characters that are a digit but no part of
// a decimal number, such as superscripts and digits in circles:
// the characters with a "Digit" but no "Decimal" value in
// Unicode.
var singles = []single{
	{'\u00b2', '\u00b3', 2},
	{'\u00b9', '\u00b9', 1},
	{'\u1369', '\u1371', 1}, // Ethiopic
	{'\u19da', '\u19da', 1}, // New Tai Lue
	{'\u2070', '\u2070', 0},
	{'\u2074', '\u2079', 4},
	{'\u2080', '\u2089', 0},
	{'\u2460', '\u2468', 1},
	{'\u2474', '\u247c', 1},
	{'\u2488', '\u2490', 1},
	{'\u24ea', '\u24ea', 0},
	{'\u24f5', '\u24fd', 1},
	{'\u24ff', '\u24ff', 0},
	{'\u2776', '\u277e', 1},
	{'\u2780', '\u2788', 1},
	{'\u278a', '\u2792', 1},
	{'\U00010a40', '\U00010a43', 1}, // Kharoshthi
	{'\U00010e60', '\U00010e68', 1}, // Rumi
	{'\U00011052', '\U0001105a', 1}, // Brahmi
	{'\U0001f100', '\U0001f100', 0},
	{'\U0001f101', '\U0001f10a', 0},
}

// single is a row of characters with ascending values.
type single struct {
	first, last rune
	value       byte // of first
}

func findSingle(r rune) *single {
	if r < singles[0].first {
		return nil
	}
	for i := range singles {
		if s := &singles[i]; s.first <= r && r <= s.last {
			return s
		}
	}
	return nil
}
