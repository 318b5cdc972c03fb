package export

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNameFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ names, want []string }{
		"as they are":  {[]string{"a.jpg", "x/a.jpg", "b", "東京 タワー+1.jpg"}, []string{"a.jpg", "x/a.jpg", "b", "東京 タワー+1.jpg"}},
		"stem":         {[]string{"a.jpg", "a.png"}, []string{"a.jpg", "a-029b0d9a.png"}},
		"case":         {[]string{"x/A.jpg", "X/a.jpg"}, []string{"x/A.jpg", "X/a-35de0414.jpg"}},
		"composed":     {[]string{"\u304c.jpg", "\u304b\u3099.jpg"}, []string{"\u304c.jpg", "\u304b\u3099-8eed0b29.jpg"}},
		"the same":     {[]string{"a.jpg", "a.jpg", "a.jpg"}, []string{"a.jpg", "a-7d9c5e46.jpg", "a-f4220e71.jpg"}},
		"a directory":  {[]string{"a.jpg", "a.jpg/b.png"}, []string{"a-7d9c5e46.jpg", "a.jpg/b.png"}},
		"windows":      {[]string{`a\b:c?.jpg`, "d. /e.jpg"}, []string{"a_b_c_.jpg", "d/e.jpg"}},
		"made earlier": {[]string{"a?.jpg", "a_.jpg"}, []string{"a_-6604c8c0.jpg", "a_.jpg"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := make([]entry, len(c.names))
			for i, n := range c.names {
				list[i] = newImage(header{name: n, subset: "s", width: 1, height: 1})
			}
			nameFiles(list)
			got := make([]string, len(list))
			for i := range list {
				got[i] = list[i].file
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLongNames(t *testing.T) {
	t.Parallel()
	list := []entry{
		newImage(header{name: strings.Repeat("あ", 200) + "1.jpg", width: 1, height: 1}),
		newImage(header{name: strings.Repeat("あ", 200) + "2.jpg", width: 1, height: 1}),
	}
	nameFiles(list)
	for _, im := range list {
		if len(im.file) > maxSegment || !strings.HasSuffix(im.file, ".jpg") || strings.ContainsRune(im.file, '\ufffd') {
			t.Errorf("%q has %d bytes", im.file, len(im.file))
		}
	}
	if list[0].file == list[1].file {
		t.Error("two images of one name")
	}
}

func TestUnexportable(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "/a", "a//b", "../a", "a/./b", "a/.."} {
		if im := newImage(header{name: name, width: 1, height: 1}); !im.out || im.problems.line("k").Code != codeName {
			t.Errorf("%q is exported", name)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for v, want := range map[int64]string{0: "0", 5: "0.0005", 10000: "1", -12300: "-1.23", 1234567: "123.4567", 100: "0.01"} {
		if got := string(appendDecimal(nil, v, 4)); got != want {
			t.Errorf("%d: %s, want %s", v, got, want)
		}
	}
	if got := string(appendCents(nil, cents(-0.001))); got != "0" {
		t.Errorf("-0 is %s", got)
	}
	for text, want := range map[string]bool{
		"0": true, "-1.50": true, "12": true, "-0": false, "-0.00": false, "1e5": false, "01": false, "1.": false, ".5": false,
		"": false, "-": false, "1234567890123456": false, "NaN": false, "0.00005": true,
	} {
		if plain(text) != want {
			t.Errorf("%q is plain: %v", text, !want)
		}
	}
	if got := string(appendText(nil, "é\"\\\n猫😀\u007f")); got != `"\u00e9\"\\\u000a\u732b\ud83d\ude00\u007f"` {
		t.Errorf("text %s", got)
	}
}

func TestAttributeNames(t *testing.T) {
	t.Parallel()
	sh := shape{occluded: true, attributes: []attribute{
		{name: "occluded", value: "true", input: "checkbox"}, {name: "n", value: "1e3", input: "number"}, {name: "n", value: "7", input: "number"},
	}}
	if got := string(sh.appendAttributes(nil)); got != `{"occluded":true,"occluded_":true,"n":"1e3","n_":7}` {
		t.Error(got)
	}
}

func TestClipRing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ring []point
		area int64 // square cents
		n    int
	}{
		"inside":        {[]point{{1, 1}, {3, 1}, {1, 3}}, 20000, 3},
		"around it all": {[]point{{-5, -5}, {20, -5}, {20, 20}, {-5, 20}}, 1000000, 4},
		"one corner":    {[]point{{-2, 2}, {2, 2}, {2, -2}, {-2, -2}}, 40000, 4},
		"a comb":        {[]point{{1, 5}, {12, 5}, {12, 6}, {5, 6}, {5, 7}, {12, 7}, {12, 8}, {1, 8}}, 9*10000 + 4*10000 + 9*10000, 8},
		"outside":       {[]point{{11, 11}, {12, 11}, {12, 12}}, 0, 0},
		"touching":      {[]point{{10, 0}, {12, 0}, {10, 5}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := corners(clipRing(c.ring, 10, 10), 10, 10)
			if c.area > 0 && len(got) != c.n {
				t.Errorf("%v", got)
			}
			if a := area(got); a != c.area {
				t.Errorf("area %d, want %d: %v", a, c.area, got)
			}
		})
	}
}
