package globs

import (
	"errors"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

var (
	errOpenSet  = errors.New(`is a malformed glob: a set of characters is empty, or has no "]" at its end`)
	errSlashSet = errors.New(`is a malformed glob: a set of characters contains a slash`)
)

// translate turns one of our globs into one of package doublestar:
// braces are characters, no set contains a slash, and a directory
// stands for what it holds.
func translate(text string) (string, error) {
	var glob strings.Builder
	for text != "" {
		n := strings.IndexAny(text, "[{}")
		if n < 0 {
			glob.WriteString(text)
			break
		}
		glob.WriteString(text[:n])
		text = text[n:]
		if text[0] != '[' {
			glob.WriteString(`\` + text[:1])
			text = text[1:]
			continue
		}
		end := strings.IndexByte(text, ']')
		if end < 0 {
			return "", errOpenSet
		}
		set, err := translateSet(text[1:end])
		if err != nil {
			return "", err
		}
		glob.WriteString(set)
		text = text[end+1:]
	}
	return directory(glob.String()), nil
}

// translateSet translates a set of characters, given without its
// brackets. Where the set names the characters that it does not
// contain, it must name the slash too: only "**" matches slashes.
func translateSet(set string) (string, error) {
	rest, negated := set, set != "" && (set[0] == '!' || set[0] == '^')
	if negated {
		rest = set[1:]
		set = "!/" + rest
	}
	set = "[" + set + "]"
	if rest == "" || !doublestar.ValidatePattern(set) {
		return "", errOpenSet
	}
	slash, err := doublestar.Match("["+rest+"]", "/")
	if err != nil {
		return "", errOpenSet
	}
	if slash {
		return "", errSlashSet
	}
	return set, nil
}

// directory adds what a directory holds to a glob that ends in one.
func directory(glob string) string {
	switch {
	case strings.HasSuffix(glob, "/"):
		return glob + "**/*"
	case glob == "**", strings.HasSuffix(glob, "/**"):
		return glob + "/*" // doublestar would match the directory too
	}
	return glob
}
