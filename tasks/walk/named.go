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
	return func(yield func(string, T) bool) {
		visitNamed[T](reflect.ValueOf(v), Path{}, func(path string, v reflect.Value) bool {
			return yield(path, v.Interface().(T))
		})
	}
}

// ReplaceNamed replaces each value of type T in a copy by what f
// returns for it and the path of its field. The error is the first one
// that f returns; it ends the replacing.
func ReplaceNamed[T any](c Copy, f func(path string, v T) (T, error)) (err error) {
	visitNamed[T](c.value, Path{}, func(path string, v reflect.Value) bool {
		var replaced T
		if replaced, err = f(path, v.Interface().(T)); err == nil {
			v.Set(reflect.ValueOf(replaced))
		}
		return err == nil
	})
	return err
}

// visitNamed reports whether to go on.
func visitNamed[T any](v reflect.Value, at Path, yield func(string, reflect.Value) bool) bool {
	if v.Type() == reflect.TypeFor[T]() && v.CanInterface() && !yield(at.Name, v) {
		return false
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if encoded(f) && !visitNamed[T](v.Field(i), at.field(f), yield) {
				return false
			}
		}
	case reflect.Pointer:
		return v.IsNil() || visitNamed[T](v.Elem(), at, yield)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			element := Path{Name: fmt.Sprintf("%s[%d]", at.Name, i)}
			if !visitNamed[T](v.Index(i), element, yield) {
				return false
			}
		}
	}
	return true
}
