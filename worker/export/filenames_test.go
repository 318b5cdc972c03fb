package export

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

func TestNameFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ names, want []string }{
		"as they are":              {[]string{"a.jpg", "x/a.jpg", "b", "東京 タワー+1.jpg"}, []string{"a.jpg", "x/a.jpg", "b", "東京 タワー+1.jpg"}},
		"stem":                     {[]string{"a.jpg", "a.png"}, []string{"a.jpg", "a-029b0d9a.png"}},
		"case":                     {[]string{"x/A.jpg", "X/a.jpg"}, []string{"x/A.jpg", "X/a-35de0414.jpg"}},
		"composed":                 {[]string{"\u304c.jpg", "\u304b\u3099.jpg"}, []string{"\u304c.jpg", "\u304b\u3099-8eed0b29.jpg"}},
		"the same":                 {[]string{"a.jpg", "a.jpg", "a.jpg"}, []string{"a.jpg", "a-7d9c5e46.jpg", "a-f4220e71.jpg"}},
		"a directory":              {[]string{"a.jpg", "a.jpg/b.png"}, []string{"a-7d9c5e46.jpg", "a.jpg/b.png"}},
		"windows":                  {[]string{`a\b:c?.jpg`, "d. /e.jpg"}, []string{"a_b_c_.jpg", "d/e.jpg"}},
		"the safe name of another": {[]string{"a?.jpg", "a_.jpg"}, []string{"a_-6604c8c0.jpg", "a_.jpg"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := make([]imageRecord, len(c.names))
			for i, n := range c.names {
				list[i] = newImageRecord(annotation.Image{Name: n, Subset: "s", Width: 1, Height: 1})
			}
			nameFiles(list)
			got := make([]string, len(list))
			for i := range list {
				got[i] = list[i].File
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLongNames(t *testing.T) {
	t.Parallel()
	list := []imageRecord{
		newImageRecord(annotation.Image{Name: strings.Repeat("あ", 200) + "1.jpg", Width: 1, Height: 1}),
		newImageRecord(annotation.Image{Name: strings.Repeat("あ", 200) + "2.jpg", Width: 1, Height: 1}),
	}
	nameFiles(list)
	for _, im := range list {
		if len(im.File) > maxSegment || !strings.HasSuffix(im.File, ".jpg") || strings.ContainsRune(im.File, '\ufffd') {
			t.Errorf("%q has %d bytes", im.File, len(im.File))
		}
	}
	if list[0].File == list[1].File {
		t.Error("two images have one name")
	}
}

// Names that are not canonical relative paths cannot be exported.
func TestNewImageRecord_LeavesOut(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "/a", "a//b", "../a", "a/./b", "a/.."} {
		if im := newImageRecord(annotation.Image{Name: name, Width: 1, Height: 1}); !im.leftOut || im.problems.line("k").Code != codeInvalidName {
			t.Errorf("%q is exported", name)
		}
	}
}
