// Package order sorts keys as stores do that do not sort them by bytes.
// It knows no store.
package order

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// Compare compares two keys: negative if a comes before b, 0 if they
// are equal.
type Compare func(a, b string) int

// Named returns the comparison of an order: bytes, utf-16, directories
// or directories-utf-16.
func Named(name string) (Compare, error) {
	switch name {
	case "bytes":
		return strings.Compare, nil
	case "utf-16":
		return compareUTF16, nil
	case "directories":
		return byName(strings.Compare), nil
	case "directories-utf-16":
		return byName(compareUTF16), nil
	}
	return nil, fmt.Errorf("no order %q", name)
}

func compareUTF16(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// byName compares the names in the paths of keys one by one: a
// directory is listed whole before the name that follows its own.
func byName(compare Compare) Compare {
	return func(a, b string) int {
		return slices.CompareFunc(strings.Split(a, "/"), strings.Split(b, "/"), compare)
	}
}

// Entry is an object of a listing.
type Entry struct {
	Key  string
	Text string // what the server says of it, in its own form
}

// Page is a part of a listing.
type Page struct {
	Entries []Entry
	More    bool // other entries follow the last one
}

// Range selects entries of a listing. The zero value selects all.
type Range struct {
	Prefix string
	After  string // only entries after it
	From   string // no entries before it
	Max    int    // at most so many; 0 means 1000
}

// Select returns the entries of a range, in an order.
func (c Compare) Select(all []Entry, r Range) Page {
	entries := slices.DeleteFunc(slices.Clone(all), func(e Entry) bool {
		return !strings.HasPrefix(e.Key, r.Prefix) ||
			r.After != "" && c(e.Key, r.After) <= 0 || r.From != "" && c(e.Key, r.From) < 0
	})
	slices.SortFunc(entries, func(a, b Entry) int { return c(a.Key, b.Key) })
	if r.Max <= 0 {
		r.Max = 1000
	}
	if len(entries) > r.Max {
		return Page{entries[:r.Max], true}
	}
	return Page{Entries: entries}
}
