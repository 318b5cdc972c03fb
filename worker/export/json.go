package export

import (
	"strconv"
	"unicode/utf16"
)

// appendText writes a JSON string of ASCII alone (GEN-01): pycocotools opens
// files in the machine's own encoding.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r >= ' ' && r <= '~':
			b = append(b, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = appendEscape(appendEscape(b, high), low)
		default:
			b = appendEscape(b, r)
		}
	}
	return append(b, '"')
}

func appendEscape(b []byte, unit rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[unit>>12&15], digits[unit>>8&15], digits[unit>>4&15], digits[unit&15])
}

// appendCents writes hundredths, with as few decimals as say it.
func appendCents(b []byte, v cent) []byte { return appendDecimal(b, int64(v), 2) }

// appendDecimal writes v/10^places without exponent, trailing zeros or -0
// (GEN-04).
func appendDecimal(b []byte, v int64, places int) []byte {
	unit := int64(1)
	for range places {
		unit *= 10
	}
	if v < 0 {
		b, v = append(b, '-'), -v
	}
	b = strconv.AppendInt(b, v/unit, 10)
	rest := v % unit
	if rest == 0 {
		return b
	}
	b = append(b, '.')
	for rest > 0 {
		unit /= 10
		b = append(b, byte('0'+rest/unit))
		rest %= unit
	}
	return b
}
