package client

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/transform"
)

func replaced(t *testing.T, r io.Reader) string {
	t.Helper()
	got, err := io.ReadAll(transform.NewReader(r, controlReplacer{}))
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// What XML can hold stays as it is. What it cannot hold is restored,
// wherever the answer is cut into reads.
func TestControlReplacer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                 "",
		"plain\t\r\nü😀&amp;&":              "plain\t\r\nü😀&amp;&",
		"a\x00b\x1f":                       "a\x00b\x1f",
		"&#1;&#x1f;&#x0001;&#31;":          "\x01\x1f\x01\x1f",
		"&#9;&#xA;&#32;&#x10ff01;":         "&#9;&#xA;&#32;&#x10ff01;",
		"&#;&#x;&#1&#-1;&#x1":              "&#;&#x;&#1&#-1;&#x1",
		"&#000000000000001;":               "&#000000000000001;",
		strings.Repeat("\x01&#2;", 5000):   strings.Repeat("\x01\x02", 5000),
		strings.Repeat("x", 5000) + "&#2;": strings.Repeat("x", 5000) + "\x02",
	} {
		got := replaced(t, strings.NewReader(text))
		if strings.ContainsFunc(got, isControl) || restoreControls(got) != want {
			t.Errorf("%.40q: %.40q, restored %.40q", text, got, restoreControls(got))
		}
		if again := replaced(t, iotest.OneByteReader(strings.NewReader(text))); again != got {
			t.Errorf("%.40q byte by byte: %.40q", text, again)
		}
	}
}

func FuzzControlReplacer(f *testing.F) {
	f.Add("a&#x1;\x02&amp;<")
	f.Fuzz(func(t *testing.T, text string) {
		got := replaced(t, strings.NewReader(text))
		if again := replaced(t, iotest.HalfReader(strings.NewReader(text))); again != got {
			t.Fatalf("%q: %q, in other pieces %q", text, got, again)
		}
		var value string // the parser must never refuse what it accepted before
		if xml.Unmarshal([]byte("<k>"+text+"</k>"), &value) == nil {
			var after string
			if err := xml.Unmarshal([]byte("<k>"+got+"</k>"), &after); err != nil || after != value {
				t.Fatalf("%q: %q became %q, %v", text, value, after, err)
			}
		}
	})
}
