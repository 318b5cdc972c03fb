package naming

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fileNames returns the file names of images with names.
func fileNames(t *testing.T, names ...string) []string {
	t.Helper()
	var directories Directories
	for _, name := range names {
		if !directories.Add("s", Safe(name)) {
			t.Fatal(name)
		}
	}
	n := New(&directories, len(names))
	files := make([]string, len(names))
	for i, name := range names {
		if Safe(name) == name && n.Take("s", name) {
			files[i] = name
		}
	}
	for i, name := range names {
		if files[i] == "" {
			files[i] = n.Rename("s", name)
		}
	}
	return files
}

func TestNamer(t *testing.T) {
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
			if diff := cmp.Diff(c.want, fileNames(t, c.names...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLongNames(t *testing.T) {
	t.Parallel()
	files := fileNames(t, strings.Repeat("あ", 200)+"1.jpg", strings.Repeat("あ", 200)+"2.jpg")
	for _, file := range files {
		if len(file) > maxSegment || !strings.HasSuffix(file, ".jpg") || strings.ContainsRune(file, '\ufffd') {
			t.Errorf("%q has %d bytes", file, len(file))
		}
	}
	if files[0] == files[1] {
		t.Error("two images have one name")
	}
}
