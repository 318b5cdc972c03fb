package asciijson

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                   `""`,
		"a/b <&>'":                           `"a/b <&>'"`,
		"é\"\\\n猫😀\u007f":                    `"\u00e9\"\\\u000a\u732b\ud83d\ude00\u007f"`,
		"\x00\r\t\b\f\x1f \u2028\uffff":      `"\u0000\u000d\u0009\u0008\u000c\u001f \u2028\uffff"`,
		string([]byte{'a', 0xff, 'b', 0xc3}): `"a\ufffdb\ufffd"`,
	} {
		if got := string(Append(nil, text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// Python's json.dumps gave each of these.
func TestAppendPython(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                               `""`,
		"é\"\\猫😀\u007f":                  `"\u00e9\"\\\u732b\ud83d\ude00\u007f"`,
		"\n\r\t\b\f\v\x00\x1f <&>\u2028": `"\n\r\t\b\f\u000b\u0000\u001f <&>\u2028"`,
	} {
		if got := string(AppendPython([]byte("x"), text)); got != "x"+want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// Any text is written as ASCII and reads back as itself.
func FuzzAppend(f *testing.F) {
	f.Add("a\n\"\\é😀\x7f\xff")
	f.Fuzz(func(t *testing.T, s string) {
		for _, text := range [][]byte{Append(nil, s), AppendPython(nil, s)} {
			for _, c := range text {
				if c < ' ' || c > '~' {
					t.Fatalf("%q holds the byte %#x", text, c)
				}
			}
			var back string
			if err := json.Unmarshal(text, &back); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if want := strings.ToValidUTF8(s, "\ufffd"); back != want && strings.ReplaceAll(back, "\ufffd", "") != strings.ReplaceAll(want, "\ufffd", "") {
				t.Fatalf("%q reads back as %q", s, back)
			}
		}
	})
}
