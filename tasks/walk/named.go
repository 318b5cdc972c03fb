package walk

import (
	"fmt"
	"iter"
	"reflect"
)

// Named yields all values of type T in a struct, each with the path of
// its field in JSON, for example "annotations.storage" or "buckets[2]".
// It does not look into maps and interfaces.
func Named[T any](v any) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) { visitNamed(reflect.ValueOf(v), Path{}, yield) }
}

// visitNamed reports whether to go on.
func visitNamed[T any](v reflect.Value, at Path, yield func(string, T) bool) bool {
	if v.Type() == reflect.TypeFor[T]() && v.CanInterface() &&
		!yield(at.Name, v.Interface().(T)) {
		return false
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if encoded(f) && !visitNamed(v.Field(i), at.field(f), yield) {
				return false
			}
		}
	case reflect.Pointer:
		return v.IsNil() || visitNamed(v.Elem(), at, yield)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			element := Path{Name: fmt.Sprintf("%s[%d]", at.Name, i)}
			if !visitNamed(v.Index(i), element, yield) {
				return false
			}
		}
	}
	return true
}
