package keyorder

import (
	"fmt"
	"strings"
)

// separator stands between the names of a set's orders.
const separator = "|"

// String returns the names of the set's orders, such as "bytes" or
// "bytes|utf-16". For the empty set it returns an empty string.
func (o Order) String() string {
	var names []string
	for _, d := range definitions {
		if o&d.order != 0 {
			names = append(names, d.name)
		}
	}
	return strings.Join(names, separator)
}

// Parse is the inverse of String. It fails if a name is no order's.
func Parse(text string) (Order, error) {
	var o Order
	if text == "" {
		return 0, nil
	}
	for name := range strings.SplitSeq(text, separator) {
		one, ok := named(name)
		if !ok {
			return 0, fmt.Errorf("%q is no order of keys; the orders are %s", name, Unknown)
		}
		o |= one
	}
	return o, nil
}

func named(name string) (Order, bool) {
	for _, d := range definitions {
		if d.name == name {
			return d.order, true
		}
	}
	return 0, false
}

// MarshalText implements encoding.TextMarshaler with String.
func (o Order) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with Parse.
func (o *Order) UnmarshalText(text []byte) (err error) {
	*o, err = Parse(string(text))
	return err
}
