// Package globs decides which keys a job works on, by the lists
// include and exclude of its payload.
//
// Each element of a list is a key prefix or a glob:
//
//   - A text without "*" and "?" is a prefix: it matches all keys
//     that begin with it.
//   - A text with one of them is a glob. It must match the whole key,
//     from the top of the bucket. "*" stands for any characters
//     but a slash, "?" for one of them, and "[a-z]" or "[!a-z]" for
//     one of a set. "**" between slashes stands for any number of
//     directories, also none. A glob that ends in "/" or "/**" matches
//     all keys in the directories that it names, as in gitignore.
//   - A text with "[" alone is both.
//
// Upper and lower case are different. There are no escapes: "[*]"
// is the character "*". Braces have no meaning.
//
// It knows no job and no bucket.
package globs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// maxGlobs is how many globs a list may have. Each may take a few
// microseconds for a key.
const maxGlobs = 100

// Selection selects keys. The zero value selects all. It is safe
// for concurrent use.
type Selection struct{ include, exclude []pattern }

// New returns the selection of keys that match one of include, if
// there are any, and none of exclude. Both lists must have passed
// Check.
func New(include, exclude []string) Selection {
	return Selection{compileAll(include), compileAll(exclude)}
}

// Has reports whether a key is selected.
func (s Selection) Has(key string) bool {
	matches := func(p pattern) bool { return p.matches(key) }
	if slices.ContainsFunc(s.exclude, matches) {
		return false
	}
	return len(s.include) == 0 || slices.ContainsFunc(s.include, matches)
}

// Check adds the faults of one list to those of a payload.
func Check(errs *fields.Errors, field string, patterns []string) {
	errs.Prefixes(field, patterns)
	n := 0
	for i, text := range patterns {
		if strings.ContainsAny(text, special) {
			n++
		}
		if _, err := compile(text); err != nil {
			errs.Add(fmt.Sprintf("%s[%d]", field, i), "%s", err)
		}
	}
	if n > maxGlobs {
		errs.Add(field, "has %d globs; at most %d are allowed", n, maxGlobs)
	}
}

// The characters that have a meaning in globs, and those of them
// that make a text a glob and no prefix.
const (
	special = wild + "["
	wild    = "*?"
)

// pattern is one element of a list. Either text may be empty and
// then matches nothing.
type pattern struct{ prefix, glob string }

func (p pattern) matches(key string) bool {
	return p.prefix != "" && strings.HasPrefix(key, p.prefix) ||
		p.glob != "" && doublestar.MatchUnvalidated(p.glob, key)
}

func compileAll(texts []string) []pattern {
	patterns := make([]pattern, 0, len(texts))
	for _, text := range texts {
		p, _ := compile(text) // what Check refuses matches nothing
		patterns = append(patterns, p)
	}
	return patterns
}

// compile reads one element of a list. It fails if the element is a
// malformed glob.
func compile(text string) (pattern, error) {
	if !strings.ContainsAny(text, special) {
		return pattern{prefix: text}, nil
	}
	glob, err := translate(text)
	if strings.ContainsAny(text, wild) {
		return pattern{glob: glob}, err
	}
	// A text with only "[" may be meant either way. If it is a malformed
	// glob, glob is empty here and matches nothing.
	return pattern{prefix: text, glob: glob}, nil
}
