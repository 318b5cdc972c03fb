package strict

import (
	"encoding/json"
	"iter"
	"strconv"
	"strings"
	"unicode"
)

// next reads the next value as it is.
func (w *walker) next() json.RawMessage {
	var raw json.RawMessage
	_ = w.dec.Decode(&raw)
	return raw
}

// opens reads the beginning of an object or an array. If the next value
// is something else, it reads and reports that.
func (w *walker) opens(want form, at string) bool {
	token, _ := w.dec.Token()
	got := formOfToken(token)
	switch got {
	case want:
		return true
	case object, array: // read it to its end
		for w.dec.More() {
			w.next()
		}
		_, _ = w.dec.Token()
	}
	if got != null {
		w.add(at, "needs "+want.need()+", not "+got.article())
	}
	return false
}

// members yields the names in an object. The caller reads the value of
// each.
func (w *walker) members(at string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !w.opens(object, at) {
			return
		}
		for w.dec.More() {
			token, _ := w.dec.Token()
			if name, _ := token.(string); !yield(name) {
				return
			}
		}
		_, _ = w.dec.Token()
	}
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

func index(at string, i int) string { return at + "[" + strconv.Itoa(i) + "]" }

// maxShown is how many bytes of foreign text a fault shows.
const maxShown = 60

// shown returns foreign text in a form that is safe to print.
func shown(foreign string) string {
	cut := foreign[:min(len(foreign), maxShown)]
	isOdd := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	switch {
	case strings.ContainsFunc(cut, isOdd), cut == "":
		return strconv.Quote(cut)
	case len(cut) < len(foreign):
		return cut + "..."
	}
	return cut
}
