// Package walk finds values by their type inside the structs that JSON
// encodes, at any depth. So a payload needs no code of its own to tell
// which storages and secrets it holds, and cannot forget one.
//
// It knows no type of the contract, and imports only the standard
// library.
package walk

import (
	"cmp"
	"iter"
	"reflect"
	"slices"
	"strings"
)

// Copy is a deep copy of a struct, whose parts can be changed through
// Find.
type Copy struct{ value reflect.Value }

// NewCopy copies a struct, or a pointer to one. Pointers, slices and
// arrays in it are copied too; maps and interfaces are shared with the
// original.
func NewCopy(v any) Copy {
	original := reflect.ValueOf(v)
	c := Copy{reflect.New(original.Type()).Elem()}
	c.value.Set(original)
	unshare(c.value)
	return c
}

// Interface returns the copy as a value of the type that was copied.
func (c Copy) Interface() any { return c.value.Interface() }

// unshare replaces what a value points to by copies.
func unshare(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			original := v.Elem()
			v.Set(reflect.New(original.Type()))
			v.Elem().Set(original)
		}
	case reflect.Slice:
		if !v.IsNil() {
			v.Set(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v))
		}
	}
	for inner := range children(v) {
		unshare(inner)
	}
}

// Find returns pointers to all values of type T in a copy, in the order
// of its fields. It also looks inside the values that it finds.
func Find[T any](c Copy) []*T {
	var found []*T
	var visit func(v reflect.Value)
	visit = func(v reflect.Value) {
		if v.Type() == reflect.TypeFor[T]() && v.CanInterface() {
			found = append(found, v.Addr().Interface().(*T))
		}
		for inner := range children(v) {
			visit(inner)
		}
	}
	visit(c.value)
	return found
}

// Replace replaces each value of type T in a copy by what f returns for
// it. Values that are zero stay. The error is the first one that f
// returns; it ends the replacing.
func Replace[T interface{ IsZero() bool }](c Copy, f func(T) (T, error)) error {
	for _, v := range Find[T](c) {
		if (*v).IsZero() {
			continue
		}
		replaced, err := f(*v)
		if err != nil {
			return err
		}
		*v = replaced
	}
	return nil
}

// children yields the values that JSON encodes as parts of a value.
func children(v reflect.Value) iter.Seq[reflect.Value] {
	return func(yield func(reflect.Value) bool) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				if encoded(v.Type().Field(i)) && !yield(v.Field(i)) {
					return
				}
			}
		case reflect.Pointer:
			if !v.IsNil() {
				yield(v.Elem())
			}
		case reflect.Slice, reflect.Array:
			for i := range v.Len() {
				if !yield(v.Index(i)) {
					return
				}
			}
		}
	}
}

// encoded reports whether JSON encodes and decodes a field. It does so
// with the exported fields of an embedded struct even if the type of
// that struct is not exported.
func encoded(f reflect.StructField) bool {
	embedded := f.Anonymous && f.Type.Kind() == reflect.Struct
	return (f.IsExported() || embedded) && f.Tag.Get("json") != "-"
}

// Field is a field of a struct.
type Field struct {
	Name  string // in JSON
	Value any
	Given bool // it is not the zero value
}

// Fields yields the fields of a struct.
func Fields(v any) iter.Seq[Field] {
	return func(yield func(Field) bool) {
		value := reflect.ValueOf(v)
		for i := range value.NumField() {
			f, inner := value.Type().Field(i), value.Field(i)
			if f.IsExported() && !yield(Field{jsonName(f), inner.Interface(), !inner.IsZero()}) {
				return
			}
		}
	}
}

// jsonName returns the name of a field in JSON. It is empty for an
// embedded struct, whose fields are those of the struct around it.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if f.Anonymous {
		return name
	}
	return cmp.Or(name, f.Name)
}

// Path says where values of a type can be in a struct.
type Path struct {
	Name  string // in JSON, for example "annotations.storage" or "buckets[]"
	InMap bool   // Find does not look there
}

// Paths returns the places in type S where JSON can put values of type
// T, in the order of the fields.
func Paths[S, T any]() []Path {
	p := paths{want: reflect.TypeFor[T]()}
	p.visit(reflect.TypeFor[S](), Path{}, nil)
	return p.found
}

type paths struct {
	want  reflect.Type
	found []Path
}

// visit looks at a type. The types that contain it are above: none of
// them is visited again, so that types which contain themselves come to
// an end.
func (p *paths) visit(t reflect.Type, at Path, above []reflect.Type) {
	if t == p.want {
		p.found = append(p.found, at)
	}
	if slices.Contains(above, t) {
		return
	}
	above = append(slices.Clone(above), t)
	switch t.Kind() {
	case reflect.Struct:
		for field := range t.Fields() {
			if encoded(field) {
				p.visit(field.Type, at.field(field), above)
			}
		}
	case reflect.Pointer:
		p.visit(t.Elem(), at, above)
	case reflect.Slice, reflect.Array:
		p.visit(t.Elem(), Path{at.Name + "[]", at.InMap}, above)
	case reflect.Map:
		p.visit(t.Elem(), Path{at.Name + "[]", true}, above)
	}
}

// field returns the path of a field.
func (p Path) field(f reflect.StructField) Path {
	name := jsonName(f)
	if p.Name != "" && name != "" {
		name = "." + name
	}
	return Path{p.Name + name, p.InMap}
}
