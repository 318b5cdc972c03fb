package tasks

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// FieldError is one thing that is wrong with a payload.
type FieldError struct {
	Field   string // the path of the field, for example "source.auth.method"
	Problem string // what is wrong with it and what would be right
}

// String reads "source.bucket: empty".
func (f FieldError) String() string { return f.Field + ": " + f.Problem }

// InvalidError means that a payload is not valid. It lists every faulty field.
type InvalidError struct {
	JobKind string
	Fields  []FieldError
}

// Error lists all faults on one line.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		lines[i] = f.String()
	}
	return e.JobKind + " payload: " + strings.Join(lines, "; ")
}

// faults collects what Validate finds; at names the field that a nested check
// stands on.
type faults struct {
	at   string
	list *[]FieldError
}

func newFaults() faults { return faults{list: new([]FieldError)} }

// in is the same collection, one field deeper.
func (f faults) in(field string) faults { return faults{at: f.path(field), list: f.list} }

func (f faults) path(field string) string {
	switch {
	case f.at == "":
		return field
	case field == "":
		return f.at
	}
	return f.at + "." + field
}

func (f faults) add(field, format string, args ...any) {
	*f.list = append(*f.list, FieldError{f.path(field), fmt.Sprintf(format, args...)})
}

// need adds a fault when the field is empty and reports whether it was there.
func (f faults) need(field, value string) bool {
	if value == "" {
		f.add(field, "empty")
	}
	return value != ""
}

// key checks an object key that a payload names: relative, canonical, at most
// 1024 bytes (the limit of S3 and GCS).
func (f faults) key(field, key string) {
	if strings.HasSuffix(key, "/") {
		f.add(field, "ends with a slash: it must name an object, not a directory")
		return
	}
	f.relative(field, key)
}

// relative checks a key, or a key prefix without its last slash.
func (f faults) relative(field, path string) {
	if problem := pathProblem(path); problem != "" {
		f.add(field, "%s", problem)
	}
}

func pathProblem(path string) string {
	switch {
	case len(path) > 1024:
		return "longer than 1024 bytes"
	case strings.HasPrefix(path, "/"):
		return "starts with a slash: keys are relative to the bucket"
	case !utf8.ValidString(path): // JSON would quietly make another key of it
		return "is not UTF-8"
	case !canonical(path):
		return `has an empty, "." or ".." path segment, a backslash or a control character`
	}
	return ""
}

// inside checks that a key lies where the storage's prefix lets a job read
// and write.
func (f faults) inside(field string, s Storage, key string) {
	if !strings.HasPrefix(key, s.Dir()) {
		f.add(field, "%q is outside %q, the directory of the storage's prefix", key, s.Dir())
	}
}

// prefixes checks key prefixes to leave out: an empty one would leave out
// everything, a wrong one nothing.
func (f faults) prefixes(field string, prefixes []string) {
	for i, p := range prefixes {
		at := fmt.Sprintf("%s[%d]", field, i)
		if f.need(at, p) {
			f.relative(at, strings.TrimSuffix(p, "/"))
		}
	}
}

// directory checks a key prefix that must end on a path boundary.
func (f faults) directory(field, dir string) {
	if dir == "" {
		return
	}
	if !strings.HasSuffix(dir, "/") {
		f.add(field, "must end with a slash")
		return
	}
	f.relative(field, strings.TrimSuffix(dir, "/"))
}

func canonical(key string) bool {
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return !strings.ContainsFunc(key, func(r rune) bool { return r == '\\' || r < 0x20 || r == 0x7f })
}

func (f faults) err(kind string) error {
	if len(*f.list) == 0 {
		return nil
	}
	return &InvalidError{JobKind: kind, Fields: *f.list}
}
