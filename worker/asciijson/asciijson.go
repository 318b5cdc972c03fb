// Package asciijson appends JSON strings that consist of ASCII
// characters alone.
//
// Tools that read what Stevedore writes may open files in the
// encoding of their machine, so everything beyond ASCII is escaped.
// encoding/json cannot do that. It also escapes <, > and &, and
// leaves the character DEL as it is.
package asciijson

import "unicode/utf16"

// AppendPython appends s as a JSON string to b, byte for byte as
// Python's json.dumps writes it. Invalid UTF-8 becomes U+FFFD.
func AppendPython(b []byte, s string) []byte {
	return appendString(b, s, func(r rune) string {
		switch r {
		case '\n':
			return `\n`
		case '\r':
			return `\r`
		case '\t':
			return `\t`
		case '\b':
			return `\b`
		case '\f':
			return `\f`
		}
		return ""
	})
}

// Append appends s as a JSON string to b. It escapes control
// characters by their numbers, for example a line feed as \u000a.
// Invalid UTF-8 becomes U+FFFD.
func Append(b []byte, s string) []byte {
	return appendString(b, s, func(rune) string { return "" })
}

// appendString calls short for each control character. short returns
// the character's short form, or an empty string if it has no short
// form.
func appendString(b []byte, s string, short func(control rune) string) []byte {
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
		case r < ' ' && short(r) != "":
			b = append(b, short(r)...)
		default:
			b = appendEscape(b, r)
		}
	}
	return append(b, '"')
}

// appendEscape appends \uXXXX for one UTF-16 unit.
func appendEscape(b []byte, unit rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u',
		digits[unit>>12&15], digits[unit>>8&15], digits[unit>>4&15], digits[unit&15])
}
