package keyorder_test

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/providers/keyorder"
)

// orders holds the same keys in each order, and a slow comparison that
// follows the order's definition.
var orders = map[keyorder.Order]struct {
	keys    []string
	compare func(a, b string) int
}{
	keyorder.Bytes: {
		[]string{"a", "a b", "a-b/1", "a.jpg", "a/1", "a0", "é", "（１）.jpg", "ﾊ.jpg", "😀.jpg", "𠮷野.jpg"},
		strings.Compare,
	},
	keyorder.UTF16: {
		[]string{"a", "a b", "a-b/1", "a.jpg", "a/1", "a0", "é", "😀.jpg", "𠮷野.jpg", "（１）.jpg", "ﾊ.jpg"},
		compareUTF16,
	},
	keyorder.Directories: {
		[]string{"a", "a/1", "a b", "a-b/1", "a.jpg", "a0", "é", "（１）.jpg", "ﾊ.jpg", "😀.jpg", "𠮷野.jpg"},
		byName(strings.Compare),
	},
	keyorder.DirectoriesUTF16: {
		[]string{"a", "a/1", "a b", "a-b/1", "a.jpg", "a0", "é", "😀.jpg", "𠮷野.jpg", "（１）.jpg", "ﾊ.jpg"},
		byName(compareUTF16),
	},
}

func compareUTF16(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// byName compares the names of directories one by one.
func byName(compare func(a, b string) int) func(a, b string) int {
	return func(a, b string) int {
		return slices.CompareFunc(strings.Split(a, "/"), strings.Split(b, "/"), compare)
	}
}

func TestOrder_SortsKeys(t *testing.T) {
	t.Parallel()
	if len(orders) != len(keyorder.Unknown.Each()) {
		t.Errorf("%d orders are tested of %d", len(orders), len(keyorder.Unknown.Each()))
	}
	for o, want := range orders {
		got := slices.SortedFunc(slices.Values(orders[keyorder.Bytes].keys), o.Compare)
		if !slices.Equal(got, want.keys) {
			t.Errorf("%s:\n got %q\nwant %q", o, got, want.keys)
		}
	}
}

// The orders that are left after a listing are those that the keys are
// in.
func TestOrder_NarrowFindsTheOrder(t *testing.T) {
	t.Parallel()
	for o, listed := range orders {
		found := keyorder.Unknown
		for i, key := range listed.keys[1:] {
			found = found.Narrow(listed.keys[i], key)
		}
		if found != o {
			t.Errorf("%s: found %q", o, found)
		}
	}
	for _, c := range []struct {
		first, second string
		want          keyorder.Order
	}{
		{"a/1", "a-b", keyorder.Directories | keyorder.DirectoriesUTF16},
		{"a-b", "a/1", keyorder.Bytes | keyorder.UTF16},
		{"😀", "（", keyorder.UTF16 | keyorder.DirectoriesUTF16},
		{"（", "😀", keyorder.Bytes | keyorder.Directories},
		{"a", "b", keyorder.Unknown},
		{"a", "a/", keyorder.Unknown},
		{"b", "a", 0},
		{"a/", "a", 0},
		{"a", "a", 0},
		{"a/b", "a0", keyorder.Unknown},
		{"\x01", "/", keyorder.Bytes | keyorder.UTF16},
	} {
		if got := keyorder.Unknown.Narrow(c.first, c.second); got != c.want {
			t.Errorf("%q before %q: %q, want %q", c.first, c.second, got, c.want)
		}
	}
}

func TestOrder_Before(t *testing.T) {
	t.Parallel()
	both := keyorder.Bytes | keyorder.Directories
	for _, c := range []struct {
		order keyorder.Order
		a, b  string
		want  bool
	}{
		{both, "a", "b", true},
		{both, "a-b", "a/1", false},
		{both, "a/1", "a-b", false},
		{keyorder.Bytes, "a-b", "a/1", true},
		{keyorder.Directories, "a/1", "a-b", true},
		{both, "a", "a", false},
		{0, "a", "b", false},
	} {
		if got := c.order.Before(c.a, c.b); got != c.want {
			t.Errorf("%s: %q before %q: %v", c.order, c.a, c.b, got)
		}
	}
}

func TestOrder_Text(t *testing.T) {
	t.Parallel()
	for o, want := range map[keyorder.Order]string{
		0:                               "",
		keyorder.Bytes:                  "bytes",
		keyorder.Bytes | keyorder.UTF16: "bytes|utf-16",
		keyorder.Unknown:                "bytes|utf-16|directories|directories-utf-16",
	} {
		back, err := keyorder.Parse(want)
		if o.String() != want || back != o || err != nil {
			t.Errorf("%d is %q, and %q is %d, %v", o, o, want, back, err)
		}
		var v struct{ Order keyorder.Order }
		data, err := json.Marshal(struct{ Order keyorder.Order }{o})
		if err != nil || json.Unmarshal(data, &v) != nil || v.Order != o {
			t.Errorf("%s became %s and %d", o, data, v.Order)
		}
	}
	if _, err := keyorder.Parse("bytes|alphabetical"); err == nil || !strings.Contains(err.Error(), `"alphabetical"`) {
		t.Errorf("got %v", err)
	}
}

// For any keys, each order is total, and follows its definition if the
// keys are valid text.
func FuzzOrder(f *testing.F) {
	for _, keys := range orders {
		for i := range len(keys.keys) - 2 {
			f.Add(keys.keys[i], keys.keys[i+1], keys.keys[i+2])
		}
	}
	f.Add("a/\xff", "a/\xee", "\xf0")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		valid := utf8.ValidString(a) && utf8.ValidString(b)
		for o, definition := range orders {
			ab, ba := o.Compare(a, b), o.Compare(b, a)
			if ab != -ba || (ab == 0) != (a == b) {
				t.Errorf("%s: %q and %q compare as %d and %d", o, a, b, ab, ba)
			}
			if ab <= 0 && o.Compare(b, c) <= 0 && o.Compare(a, c) > 0 {
				t.Errorf("%s: %q, %q, %q", o, a, b, c)
			}
			if want := definition.compare(a, b); valid && ab != cmp.Compare(want, 0) {
				t.Errorf("%s: %q and %q compare as %d, want %d", o, a, b, ab, want)
			}
			if o.Before(a, b) != (ab < 0) || (keyorder.Unknown.Narrow(a, b)&o != 0) != (ab < 0) {
				t.Errorf("%s: %q and %q compare as %d but not with Before and Narrow", o, a, b, ab)
			}
		}
	})
}

// If two orders agree on all neighbours in a listing, they agree on all
// of it. So a set of candidates is as good as the one order.
func FuzzOrder_NeighboursDecide(f *testing.F) {
	for _, keys := range orders {
		f.Add(strings.Join(keys.keys, "\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		keys := strings.Split(text, "\n")
		for o := range orders {
			slices.SortFunc(keys, o.Compare)
			keys = slices.Compact(keys)
			found := keyorder.Unknown
			for i, key := range keys[1:] {
				found = found.Narrow(keys[i], key)
			}
			for i := range keys {
				for _, later := range keys[i+1:] {
					if !found.Before(keys[i], later) {
						t.Fatalf("%s: %s are left, and disagree on %q and %q", o, found, keys[i], later)
					}
				}
			}
		}
	})
}

func BenchmarkNarrow(b *testing.B) {
	prefix := strings.Repeat("customers/acme/", 6)
	for name, pair := range map[string][2]string{
		"short": {"img_0001.jpg", "img_0002.jpg"},
		"long":  {prefix + "img_0001.jpg", prefix + "img_0002.jpg"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				keyorder.Unknown.Narrow(pair[0], pair[1])
			}
		})
	}
}
