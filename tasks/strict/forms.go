package strict

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// form is what a JSON value is: its first byte tells.
type form string

const (
	object  form = "object"
	array   form = "array"
	text    form = "string"
	number  form = "number"
	boolean form = "boolean"
	null    form = "null"
)

func formOf(raw json.RawMessage) form {
	switch raw[0] {
	case '{':
		return object
	case '[':
		return array
	case '"':
		return text
	case 't', 'f':
		return boolean
	case 'n':
		return null
	}
	return number
}

func formOfToken(t json.Token) form {
	switch t := t.(type) {
	case json.Delim:
		return formOf(json.RawMessage(t.String()))
	case nil:
		return null
	case bool:
		return boolean
	case string:
		return text
	}
	return number
}

// isList reports whether JSON has an array for a type. A slice of bytes
// is a string of base64 there.
func isList(t reflect.Type) bool {
	kind := t.Kind()
	return kind == reflect.Array || kind == reflect.Slice && t.Elem().Kind() != reflect.Uint8
}

// formFor returns the form of a Go type without parts.
func formFor(t reflect.Type) form {
	switch t.Kind() {
	case reflect.Bool:
		return boolean
	case reflect.String, reflect.Slice:
		return text
	}
	return number
}

// article returns the form with its article, for example "an object".
func (f form) article() string {
	if f == object || f == array {
		return "an " + string(f)
	}
	return "a " + string(f)
}

// need says what to write.
func (f form) need() string {
	switch f {
	case boolean:
		return "true or false"
	case array:
		return "an array, [...]"
	case object:
		return "an object, {...}"
	}
	return f.article()
}

var (
	jsonForm = reflect.TypeFor[json.Unmarshaler]()
	textForm = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// hasOwnForm reports whether a type reads its JSON by itself.
func hasOwnForm(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t.Kind() != reflect.Pointer && (p.Implements(jsonForm) || p.Implements(textForm))
}

func (w *walker) ownForm(t reflect.Type, at string) {
	err := json.Unmarshal(w.next(), reflect.New(t).Interface())
	switch {
	case err == nil:
	case t == reflect.TypeFor[time.Time]():
		w.add(at, "needs a time with its zone, for example 2026-11-23T08:00:00Z")
	default:
		w.add(at, strings.TrimPrefix(err.Error(), "json: "))
	}
}
