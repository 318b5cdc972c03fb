package fields

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxKey is the longest key, in bytes, that S3 and GCS take.
const maxKey = 1024

// Key checks the key of an object: relative, canonical and not too
// long.
func (e *Errors) Key(field, key string) {
	if strings.HasSuffix(key, "/") {
		e.Add(field, "ends with a slash: it must name an object, not a directory")
		return
	}
	e.keyPath(field, key)
}

// keyPath checks a key, or a prefix without its last slash.
func (e *Errors) keyPath(field, path string) {
	if problem := PathProblem(path); problem != "" {
		e.Add(field, "%s", problem)
	}
}

// Inside checks that a key lies in a directory. The directory is that
// of a storage's prefix: jobs read and write nothing outside it.
func (e *Errors) Inside(field, dir, key string) {
	if !strings.HasPrefix(key, dir) {
		e.Add(field, "%q is outside %q, the directory of the storage's prefix", key, dir)
	}
}

// Output checks a key that a job will write: canonical, with its
// ending, and inside the directory of the storage's prefix.
func (e *Errors) Output(field, dir, key, ending string) {
	// The fault of a prefix is reported with the prefix, and not again
	// here.
	goodDir := dir == "" || PathProblem(strings.TrimSuffix(dir, "/")) == ""
	if goodDir || !strings.HasPrefix(key, dir) {
		e.keyPath(field, strings.TrimSuffix(key, "/"))
	}
	if !strings.HasSuffix(key, ending) {
		e.Add(field, "%q must end in %s", key, ending)
	}
	e.Inside(field, dir, key)
}

// Prefixes checks key prefixes to leave out. An empty one would leave
// out everything, a malformed one nothing.
func (e *Errors) Prefixes(field string, prefixes []string) {
	for i, p := range prefixes {
		at := fmt.Sprintf("%s[%d]", field, i)
		if e.Need(at, p) {
			e.keyPath(at, strings.TrimSuffix(p, "/"))
		}
	}
}

// Directory checks a key prefix that must end with a slash. It may be
// empty.
func (e *Errors) Directory(field, dir string) {
	switch {
	case dir == "":
	case !strings.HasSuffix(dir, "/"):
		e.Add(field, "must end with a slash")
	default:
		e.keyPath(field, strings.TrimSuffix(dir, "/"))
	}
}

// PathProblem says what is wrong with a key, or with a prefix without
// its last slash. It returns an empty text when nothing is.
func PathProblem(path string) string {
	switch {
	case len(path) > maxKey:
		return fmt.Sprintf("longer than %d bytes", maxKey)
	case strings.HasPrefix(path, "/"):
		return "starts with a slash: keys are relative to the bucket"
	case !utf8.ValidString(path): // JSON would write another key
		return "is not UTF-8"
	case !IsCanonical(path):
		return `has an empty, "." or ".." path segment, a backslash or a control character`
	}
	return ""
}

// IsCanonical reports whether a path has one spelling only: no empty,
// "." or ".." segment, no backslash and no control character.
func IsCanonical(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return !strings.ContainsFunc(path, func(r rune) bool {
		return r == '\\' || r < 0x20 || r == 0x7f
	})
}
