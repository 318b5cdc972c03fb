package coco

import (
	"strconv"
	"strings"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// appendCents appends cents as pixels, with up to two decimals.
func appendCents(b []byte, v annotation.Cent) []byte { return appendDecimal(b, int64(v), 2) }

// appendDecimal appends v/10^places without exponent, trailing zeros
// or -0 (GEN-04).
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

// isPlainNumber reports whether text is a JSON number without
// exponent, -0 or more digits than a float64 keeps (GEN-04).
func isPlainNumber(text string) bool {
	digits, minus := strings.CutPrefix(text, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	switch {
	case len(whole)+len(fraction) > 15, !allDigits(whole), point && !allDigits(fraction):
		return false
	case len(whole) > 1 && whole[0] == '0':
		return false
	}
	return !minus || strings.Trim(digits, "0.") != ""
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
