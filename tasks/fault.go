package tasks

import (
	"fmt"
	"strings"
)

// A Fault is one thing wrong with a payload.
type Fault struct {
	Field   string // the path of the field, for example "source.auth.method"
	Problem string // what is wrong with it and what would be right
}

// String reads "source.bucket: empty".
func (f Fault) String() string { return f.Field + ": " + f.Problem }

// InvalidError is a payload that does not validate, with every fault found.
type InvalidError struct {
	JobKind string
	Faults  []Fault
}

// Error lists all faults on one line.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return e.JobKind + " payload: " + strings.Join(lines, "; ")
}

// faults collects what Validate finds; at names the field that a nested check stands on.
type faults struct {
	at   string
	list *[]Fault
}

func newFaults() faults { return faults{list: new([]Fault)} }

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
	*f.list = append(*f.list, Fault{f.path(field), fmt.Sprintf(format, args...)})
}

// need adds a fault when the field is empty and reports whether it was there.
func (f faults) need(field, value string) bool {
	if value == "" {
		f.add(field, "empty")
	}
	return value != ""
}

// key checks an object key that a payload names: relative, canonical, at most 1024 bytes (the limit of S3 and GCS).
func (f faults) key(field, key string) {
	switch {
	case len(key) > 1024:
		f.add(field, "longer than 1024 bytes")
	case strings.HasPrefix(key, "/"):
		f.add(field, "starts with a slash: keys are relative to the bucket")
	case strings.HasSuffix(key, "/"):
		f.add(field, "ends with a slash: it must name an object, not a directory")
	case !canonical(key):
		f.add(field, `has an empty, "." or ".." path segment, a backslash or a control character`)
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
	f.key(field, strings.TrimSuffix(dir, "/"))
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
	return &InvalidError{JobKind: kind, Faults: *f.list}
}
