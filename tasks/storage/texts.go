package storage

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// The longest texts, in characters.
const (
	maxDisplayName = 255
	maxDescription = 4096
)

// checkLine checks a text for people that stands on one line. most is how
// many characters it may have. It may be empty.
func checkLine(errs *fields.Errors, field, text string, most int) {
	if strings.ContainsAny(text, lineBreaks) {
		errs.Add(field, "must be one line")
		return
	}
	checkText(errs, field, text, most)
}

// lineBreaks are the characters at which a text is broken into lines.
const lineBreaks = "\n\r\u0085\u2028\u2029"

// checkText checks a text for people. It may have several lines. It must not
// have other control characters: a terminal would obey them.
func checkText(errs *fields.Errors, field, text string, most int) {
	isControl := func(r rune) bool {
		return unicode.IsControl(r) && !strings.ContainsRune("\t"+lineBreaks, r)
	}
	switch {
	case !utf8.ValidString(text):
		errs.Add(field, "is not UTF-8")
	case utf8.RuneCountInString(text) > most:
		errs.Add(field, "longer than %d characters", most)
	case strings.ContainsFunc(text, isControl):
		errs.Add(field, "has a control character")
	}
}
