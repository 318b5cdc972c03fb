package order

import (
	"strings"
	"testing"
)

func TestSelect(t *testing.T) {
	t.Parallel()
	var all []Entry
	for key := range strings.FieldsSeq("a/1 a-b/1 a.jpg （１） 😀") {
		all = append(all, Entry{Key: key})
	}
	for name, want := range map[string]string{
		"bytes":              "a-b/1 a.jpg a/1 （１） 😀",
		"utf-16":             "a-b/1 a.jpg a/1 😀 （１）",
		"directories":        "a/1 a-b/1 a.jpg （１） 😀",
		"directories-utf-16": "a/1 a-b/1 a.jpg 😀 （１）",
	} {
		compare, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		keys := strings.Fields(want)
		for r, want := range map[Range][]string{
			{}:                            keys,
			{Max: 2}:                      keys[:2],
			{After: keys[1]}:              keys[2:],
			{From: keys[1], Max: 2}:       keys[1:3],
			{Prefix: "a-"}:                {"a-b/1"},
			{Prefix: "a", After: keys[2]}: {},
		} {
			var got []string
			page := compare.Select(all, r)
			for _, e := range page.Entries {
				got = append(got, e.Key)
			}
			if strings.Join(got, " ") != strings.Join(want, " ") || page.More != (r.Max > 0) {
				t.Errorf("%s, %+v: %q and %v, want %q", name, r, got, page.More, want)
			}
		}
	}
	if _, err := Named("alphabetical"); err == nil {
		t.Error("an unknown order has no error")
	}
}
