package natsort

import (
	"strings"
	"unicode/utf8"
)

// appendComponent appends a component: texts and numbers by
// turns, the first of them a text. Between two numbers, and
// before one at the start, there is an empty text. So numbers are
// only compared with numbers, and come before other text.
func appendComponent(key []byte, text string) []byte {
	for {
		n := strings.IndexFunc(text, isNumeric)
		if n < 0 {
			return append(appendText(key, text), end)
		}
		key = append(appendText(key, text[:n]), more)
		var digits string
		digits, text = cutNumber(text[n:])
		key = appendNumber(key, digits)
		if text == "" {
			return append(key, end)
		}
		key = append(key, more)
	}
}

// appendText appends a text and its end. Like natsort in the
// locale C.UTF-8, it puts the folded form of each character
// before that character (natsort.utils.groupletters): for a few
// characters the two differ even now.
func appendText(key []byte, text string) []byte {
	for _, r := range text {
		for _, folded := range foldRune(r) {
			key = appendRune(key, folded)
		}
		key = appendRune(key, r)
	}
	return append(key, 0, 0)
}

func foldRune(r rune) string {
	if r < utf8.RuneSelf {
		return string(r) // it is in lower case already
	}
	return foldCase(string(r))
}

// appendRune appends a character, which then never begins like
// the end of a text. UTF-8 has the order of code points.
func appendRune(key []byte, r rune) []byte {
	if r == 0 {
		return append(key, 0, 1)
	}
	return utf8.AppendRune(key, r)
}

// cutNumber splits a text that begins with a number into the
// digits of that number and the rest. A number is a row of
// decimal digits, or one character such as "²".
func cutNumber(text string) (digits, rest string) {
	end := strings.IndexFunc(text, func(r rune) bool { return !isDecimal(r) })
	switch {
	case end < 0:
		return text, ""
	case end == 0:
		_, end = utf8.DecodeRuneInString(text)
	}
	return text[:end], text[end:]
}

// appendNumber appends a number: how many digits it has without
// leading zeros, and these digits. Of two numbers, the one with
// more digits is the larger.
func appendNumber(key []byte, digits string) []byte {
	start := len(key)
	key = append(key, 0, 0, 0, 0)
	for _, r := range digits {
		if value := digitValue(r); value > 0 || len(key) > start+4 {
			key = append(key, '0'+value)
		}
	}
	n := len(key) - start - 4
	key[start], key[start+1] = byte(n>>24), byte(n>>16)
	key[start+2], key[start+3] = byte(n>>8), byte(n)
	return key
}
