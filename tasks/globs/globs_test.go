package globs_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stevedore-jobs/stevedore/tasks/fields"
	"github.com/stevedore-jobs/stevedore/tasks/globs"
)

// faults returns what Check finds in a list.
func faults(patterns ...string) (found []string) {
	var errs fields.Errors
	globs.Check(&errs, "include", patterns)
	var invalid *fields.InvalidError
	if errors.As(errs.Err("job"), &invalid) {
		for _, f := range invalid.Fields {
			found = append(found, f.String())
		}
	}
	return found
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for pattern, c := range map[string]struct{ match, other string }{
		// prefixes
		"a":        {"a a/b ab.jpg", "b A xa"},
		"a/":       {"a/ a/b", "a ab"},
		"scan[1]/": {"scan[1]/x scan1/x scan1/y/z", "scan2/x scan1"},
		"a[b":      {"a[b a[bc", "ab"},
		"x{1,2}":   {"x{1,2}.jpg", "x1 x2"},
		// globs are compared with the whole key
		"*.jpg":      {"a.jpg .jpg", "a/b.jpg a.JPG a.jpg.txt"},
		"a/*":        {"a/b", "a a/b/c"},
		"a/?.jpg":    {"a/é.jpg a/😀.jpg", "a/12.jpg a//.jpg"},
		"a?b":        {"a-b", "a/b ab"},
		"*/b":        {"a/b /b", "b a/c/b"},
		"img[0-9]*":  {"img1 img12.jpg", "img imgx img1/x"},
		"[!a-c]*":    {"d é -x", "a b1 /x d/x"},
		"[^a]?":      {"bx", "ax b/"},
		"*[*?]":      {"a* a?", "ab"},
		"*.{jpg}":    {"a.{jpg}", "a.jpg"},
		"{*}":        {"{a} {}", "a"},
		"é*[а-я]":    {"éд éxя", "éz"},
		"a**b.jpg":   {"ab.jpg axxb.jpg", "a/b.jpg ax/b.jpg"},
		"**":         {"a a/b a/b/c a//b /a", ""},
		"**/*.jpg":   {"a.jpg a/b.jpg a/b/c.jpg a//b.jpg", "a.jpgx a/b.jpg/c"},
		"**/tmp/**":  {"tmp/a x/tmp/a x/y/tmp/a/b", "tmp x/tmp xtmp/a"},
		"**/tmp/":    {"tmp/a x/tmp/a x/y/tmp/a/b", "tmp x/tmp xtmp/a"},
		"a/**":       {"a/b a/b/c", "a ab"},
		"a/**/b":     {"a/b a/x/b a/x/y/b", "ab a/xb a/b/c"},
		"**/a/**/b*": {"a/b x/a/y/z/bc", "a/x b"},
		"*/private/": {"x/private/a x/private/b/c", "private/a x/y/private/a x/private"},
	} {
		if found := faults(pattern); found != nil {
			t.Errorf("%q is refused: %q", pattern, found)
		}
		s := globs.New([]string{pattern}, nil)
		for _, key := range strings.Fields(c.match) {
			if !s.Has(key) {
				t.Errorf("%q does not match %q", pattern, key)
			}
		}
		for _, key := range strings.Fields(c.other) {
			if s.Has(key) {
				t.Errorf("%q matches %q", pattern, key)
			}
		}
	}
}

func TestSelection(t *testing.T) {
	t.Parallel()
	s := globs.New([]string{"**/*.jpg", "all/"}, []string{"**/tmp/**", "all/x"})
	for key, want := range map[string]bool{
		"a.jpg": true, "a.png": false, "all/a.png": true, "all/x.jpg": false, "a/tmp/b.jpg": false, "": false,
	} {
		if s.Has(key) != want {
			t.Errorf("%q is selected: %t", key, !want)
		}
	}
	if zero := (globs.Selection{}); !zero.Has("a") || !zero.Has("") {
		t.Error("the zero value does not select all")
	}
	if s := globs.New(nil, []string{"*"}); s.Has("a") || !s.Has("a/b") {
		t.Error("exclude alone does not work")
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const (
		open  = `is a malformed glob: a set of characters is empty, or has no "]" at its end`
		slash = `is a malformed glob: a set of characters contains a slash`
		path  = `has an empty, "." or ".." path segment, a backslash or a control character`
	)
	for pattern, want := range map[string]string{
		"": "empty", "*[": open, "*[]": open, "*[!]": open, "[a*": open, "[z-a]*": "", "*[a-]": "", "*[+-9]": slash,
		"*[a/b]": slash, `*\*`: path, "**/../*": path, "/**": "starts with a slash: keys are relative to the bucket", "a//*": path,
	} {
		var expected []string
		if want != "" {
			expected = []string{"include[0]: " + want}
		}
		if got := faults(pattern); !slices.Equal(got, expected) {
			t.Errorf("%q: %q, want %q", pattern, got, expected)
		}
	}
	if got := faults(slices.Repeat([]string{"*.jpg", "prefix"}, 101)...); !slices.Equal(got, []string{"include: has 101 globs; at most 100 are allowed"}) {
		t.Error(got)
	}
}

// The costliest globs take time in proportion to the lengths of
// glob and key.
func TestPatterns_CostIsBounded(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("a/", 511) + "a"
	for _, glob := range []string{
		strings.Repeat("**/*a*/", 140) + "b", strings.Repeat("*a", 500) + "b", strings.Repeat("{a,a}", 200) + "*b",
	} {
		s := globs.New(slices.Repeat([]string{glob}, 10), nil)
		for range 10 {
			if s.Has(key) {
				t.Error(glob)
			}
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, p := range []string{"a/**/[!b]*", "*[", "x{1}*", "[a-z]?", "**/tmp/"} {
		f.Add(p, "a/b/c")
	}
	f.Fuzz(func(t *testing.T, pattern, key string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(key) {
			return
		}
		has := globs.New([]string{pattern}, nil).Has(key)
		if faults(pattern) == nil && !strings.ContainsAny(pattern, "*?[") && has != strings.HasPrefix(key, pattern) {
			t.Fatalf("the prefix %q and %q: %t", pattern, key, has)
		}
	})
}
