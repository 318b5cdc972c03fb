package strict

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
)

// field is a field of a struct, as JSON sees it.
type field struct {
	name string
	kind reflect.Type
}

// fieldsOf returns the fields of a struct, and then those of the
// structs that it embeds.
func fieldsOf(t reflect.Type) []field {
	var all, embedded []field
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case f.Tag.Get("json") == "-":
		case f.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			embedded = append(embedded, fieldsOf(inner)...)
		case f.IsExported():
			all = append(all, field{cmp.Or(name, f.Name), f.Type})
		}
	}
	return append(all, embedded...)
}

func find(known []field, name string) (field, bool) {
	for _, equal := range []func(string, string) bool{
		func(a, b string) bool { return a == b }, strings.EqualFold,
	} {
		i := slices.IndexFunc(known, func(f field) bool { return equal(f.name, name) })
		if i >= 0 {
			return known[i], true
		}
	}
	return field{}, false
}

// meant says what to write in place of an unknown field: a field of
// nearly that name, the place where a field of that name belongs, or
// all fields that there are.
func (w *walker) meant(name string, known []field) string {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.name
	}
	if near := fields.Nearest(name, names); near != "" {
		return "did you mean " + near + "?"
	}
	if places := placesOf(w.top, name, "", nil); len(places) > 0 {
		return "did you mean " + strings.Join(places, " or ") + "?"
	}
	return "the fields are " + strings.Join(names, ", ")
}

// placesOf returns the paths of all fields of a name below a type. The
// types that contain it are above, and are not visited again.
func placesOf(t reflect.Type, name, at string, above []reflect.Type) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || hasOwnForm(t) || slices.Contains(above, t) {
		return nil
	}
	above = append(slices.Clone(above), t)
	var places []string
	for _, f := range fieldsOf(t) {
		if path := join(at, f.name); f.name == name {
			places = append(places, path)
		} else {
			places = append(places, placesOf(f.kind, name, path, above)...)
		}
	}
	return places
}
