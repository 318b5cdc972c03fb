package order

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever the object holds, each key is on a line of it, in order, and
// none is empty or too long.
func FuzzLines(f *testing.F) {
	f.Add("a.jpg\r\nb.jpg\n\n")
	f.Add("\ufeffa\n\xff")
	f.Add(strings.Repeat("x", 5000))
	f.Fuzz(func(t *testing.T, text string) {
		rest := text
		l := list{key: "order.txt"}
		err := l.lines(t.Context(), strings.NewReader(text), func(key string) bool {
			_, after, ok := strings.Cut(rest, key)
			if !ok || key == "" || len(key) > maxLine || strings.Contains(key, "\n") || !utf8.ValidString(key) {
				t.Fatalf("%q is no key of %q", key, text)
			}
			rest = after
			return true
		})
		if err == nil && !utf8.ValidString(text) {
			t.Fatalf("%q is accepted", text)
		}
	})
}
