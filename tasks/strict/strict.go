// Package strict reads JSON into Go values and refuses what they have
// no place for: unknown fields, values of another type, data after the
// end. It reports all of that at once, each with the path of its field
// and what to write instead.
//
// It knows encoding/json's rules for names and embedded structs. It
// knows no payload.
package strict

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// Decode reads one JSON value. When anything is reported, the value is
// not to be used. A fault of the value as a whole has no field.
//
// As in encoding/json, null leaves a field as it is, and the case of
// letters in names does not matter.
func Decode[T any](data []byte) (v T, found []fields.Error) {
	if problem := Syntax(data); problem != "" {
		return v, []fields.Error{{Problem: problem}}
	}
	w := walker{dec: json.NewDecoder(bytes.NewReader(data)), top: reflect.TypeFor[T]()}
	w.value(w.top, "")
	if len(w.found) == 0 {
		// The walk may not know all rules of encoding/json.
		if err := json.Unmarshal(data, &v); err != nil {
			w.add("", strings.TrimPrefix(err.Error(), "json: "))
		}
	}
	return v, w.found
}

const (
	maxFound = 50  // faults that are reported
	maxPath  = 500 // bytes of a field's path
)

// walker reads a JSON value once, and compares it with a Go type.
type walker struct {
	dec   *json.Decoder // of valid JSON, so its errors can be ignored
	top   reflect.Type
	found []fields.Error
}

func (w *walker) add(at, problem string) {
	if len(w.found) < maxFound {
		w.found = append(w.found, fields.Error{Field: at, Problem: problem})
	}
}

func (w *walker) value(t reflect.Type, at string) {
	switch kind := t.Kind(); {
	case len(at) > maxPath:
		w.next()
		w.add(at[:maxPath]+"...", "is nested too deeply")
	case hasOwnForm(t):
		w.ownForm(t, at)
	case kind == reflect.Pointer:
		w.value(t.Elem(), at)
	case kind == reflect.Struct:
		w.object(t, at)
	case kind == reflect.Map:
		for name := range w.members(at) {
			w.value(t.Elem(), join(at, shown(name)))
		}
	case isList(t):
		w.list(t, at)
	default:
		w.scalar(t, at)
	}
}

func (w *walker) object(t reflect.Type, at string) {
	known := fieldsOf(t)
	for name := range w.members(at) {
		path := join(at, shown(name))
		if f, ok := find(known, name); ok {
			w.value(f.kind, path)
			continue
		}
		w.add(path, "unknown field: "+w.meant(name, known))
		w.next()
	}
}

func (w *walker) list(t reflect.Type, at string) {
	if !w.opens(array, at) {
		return
	}
	for i := 0; w.dec.More(); i++ {
		w.value(t.Elem(), index(at, i))
	}
	_, _ = w.dec.Token()
}

func (w *walker) scalar(t reflect.Type, at string) {
	raw := w.next()
	want := formFor(t)
	switch got := formOf(raw); {
	case got == null || t.Kind() == reflect.Interface:
	case got != want:
		w.add(at, "needs "+want.need()+", not "+got.article())
	case json.Unmarshal(raw, reflect.New(t).Interface()) == nil:
	case want == number:
		w.add(at, "needs a whole number, not "+shown(string(raw)))
	default:
		w.add(at, "cannot be read as "+t.String())
	}
}
