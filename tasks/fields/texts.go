package fields

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line checks a text for people that stands on one line. most is how
// many characters it may have. It may be empty.
func (e *Errors) Line(field, text string, most int) {
	if strings.ContainsAny(text, lineBreaks) {
		e.Add(field, "must be one line")
		return
	}
	e.Text(field, text, most)
}

// lineBreaks are the characters at which a text is broken into lines.
const lineBreaks = "\n\r\u0085\u2028\u2029"

// Text checks a text for people. It may have several lines. It must not
// have other control characters: a terminal would obey them.
func (e *Errors) Text(field, text string, most int) {
	isControl := func(r rune) bool {
		return unicode.IsControl(r) && !strings.ContainsRune("\t"+lineBreaks, r)
	}
	switch {
	case !utf8.ValidString(text):
		e.Add(field, "is not UTF-8")
	case utf8.RuneCountInString(text) > most:
		e.Add(field, "longer than %d characters", most)
	case strings.ContainsFunc(text, isControl):
		e.Add(field, "has a control character")
	}
}
