// Package fields collects what is wrong with a payload. Each finding
// names its field, so that a person sees all faults at once and where
// they are.
//
// It knows keys and prefixes of objects. It knows no job and no
// storage, and imports only the standard library.
package fields

import (
	"fmt"
	"slices"
	"strings"
)

// Error is one thing that is wrong with a payload.
type Error struct {
	// Field is the path of the field, for example "source.auth.method".
	// It is empty for a fault of the payload as a whole.
	Field   string
	Problem string // what is wrong with it, and what would be right
}

// String returns a line such as "source.bucket: empty".
func (e Error) String() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}

// InvalidError means that a payload is not valid. It lists every faulty
// field.
type InvalidError struct {
	JobKind string // empty when a part of a payload was checked alone
	Fields  []Error
}

// Error returns all faults on one line.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		lines[i] = f.String()
	}
	text := strings.Join(lines, "; ")
	if e.JobKind == "" {
		return text
	}
	return e.JobKind + " payload: " + text
}

// Errors collects the faults of a payload. The zero value is ready.
type Errors struct {
	path string
	top  *Errors // holds the list; nil when that is this value
	list []Error
}

// In returns a collector for the fields of a nested object. What it
// finds is added to this collection.
func (e *Errors) In(field string) *Errors {
	top := e.top
	if top == nil {
		top = e
	}
	return &Errors{path: e.pathOf(field), top: top}
}

func (e *Errors) pathOf(field string) string {
	switch {
	case e.path == "":
		return field
	case field == "":
		return e.path
	}
	return e.path + "." + field
}

// Add adds a fault of a field. An empty field stands for the object
// itself.
func (e *Errors) Add(field, format string, args ...any) {
	found := Error{e.pathOf(field), fmt.Sprintf(format, args...)}
	if e.top != nil {
		e.top.list = append(e.top.list, found)
		return
	}
	e.list = append(e.list, found)
}

// Err returns all that was found in a payload of this kind as an
// *InvalidError, or nil. Call it on the outermost collector.
func (e *Errors) Err(kind string) error {
	if len(e.list) == 0 {
		return nil
	}
	return &InvalidError{JobKind: kind, Fields: e.list}
}

// Need adds a fault when a value is empty. It reports whether it was
// not.
func (e *Errors) Need(field, value string) bool {
	if value == "" {
		e.Add(field, "empty")
	}
	return value != ""
}

// OneOf checks that a value is one of those allowed.
func (e *Errors) OneOf(field, value string, allowed []string) {
	if !slices.Contains(allowed, value) {
		e.Add(field, "%q is not supported; there is %s%s",
			value, strings.Join(allowed, ", "), Suggest(value, allowed))
	}
}
