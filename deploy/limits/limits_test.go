package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree writes files into a new folder and returns its path.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// methods returns the source of a type with n methods.
func methods(n int) string {
	var text strings.Builder
	text.WriteString("package a\n\ntype big struct{}\n")
	for i := range n {
		fmt.Fprintf(&text, "func (*big) m%d() {}\n", i)
	}
	return text.String()
}

// files returns n small files of one folder.
func files(n int) map[string]string {
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("a/f%d.go", i)] = "package a\n"
	}
	return files
}

// one returns one file with this source.
func one(source string) map[string]string { return map[string]string{"a/a.go": source} }

func TestRun_EachLimit(t *testing.T) {
	t.Parallel()
	long := func(lines int) string { return strings.Repeat("\n", lines) }
	wide := "package a\n\nvar a = 1 // " + strings.Repeat("x", 88)
	for name, c := range map[string]struct {
		files map[string]string
		want  string // a part of the only violation; empty for none
	}{
		"keys compared":          {one("package a\n\nvar b = key < x.After\n"), "a/a.go:3: keys are compared; only the order of their bucket (package keyorder) tells which comes first"},
		"keys compared by cmp":   {one("package a\n\nvar b = cmp.Compare(aws.ToString(a.Key), b)\n"), "a/a.go:3: keys are compared; only the order of their bucket (package keyorder) tells which comes first"},
		"lengths of keys":        {one("package a\n\nvar b = len(key) < 3 && key == last && t.After(u)\n"), ""},
		"keys, in their package": {map[string]string{"providers/keyorder/a.go": "package keyorder\n\nvar b = key < after\n"}, ""},
		"18 files":               {files(18), ""},
		"19 files":               {files(19), "a: the folder has 19 files, the limit is 18"},
		"1500 lines of a folder": {
			map[string]string{
				"a/1.go": "package a" + long(300), "a/2.go": "package a" + long(300),
				"a/3.go": "package a" + long(300), "a/4.go": "package a" + long(300),
				"a/5.go": "package a" + long(300), "a/6.go": "package a" + long(1),
			},
			"a: the folder has 1501 lines, the limit is 1500",
		},
		"300 lines of a file": {one("package a" + long(300)), ""},
		"301 lines of a file": {
			one("package a" + long(301)),
			"a.go: the file has 301 lines, the limit is 300",
		},
		"400 lines of a test": {map[string]string{"a/a_test.go": "package a" + long(400)}, ""},
		"401 lines of a test": {
			map[string]string{"a/a_test.go": "package a" + long(401)},
			"a_test.go: the file has 401 lines, the limit is 400",
		},
		"50 lines of a function": {one("package a\n\nfunc f() {" + long(49) + "}\n"), ""},
		"51 lines of a function": {
			one("package a\n\nfunc f() {" + long(50) + "}\n"),
			"a.go:3: f has 51 lines, the limit is 50",
		},
		"5 parameters": {one("package a\n\nfunc f(a, b, c, d int, e string) {}\n"), ""},
		"6 parameters": {
			one("package a\n\nfunc f(a, b, c, d int, e, f string) {}\n"),
			"a.go:3: f has 6 parameters, the limit is 5",
		},
		"15 methods": {one(methods(15)), ""},
		"16 methods": {one(methods(16)), "a: type big has 16 methods, the limit is 15"},
		"16 methods of a generic type": {
			one(strings.ReplaceAll(methods(16), "*big", "*big[T]")),
			"a: type big has 16 methods, the limit is 15",
		},
		"16 methods of a type with two parameters": {
			one(strings.ReplaceAll(methods(16), "*big", "*big[K, V]")),
			"a: type big has 16 methods, the limit is 15",
		},
		"7 methods of an interface": {
			one("package a\n\ntype i interface {\n\ta()\n\tb()\n\tc()\n\td()\n\te()\n\tf()\n\tg()\n}\n"),
			"a.go:3: interface i has 7 methods, the limit is 6",
		},
		"100 columns": {one(wide[:len(wide)-1] + "\n"), ""},
		"101 columns": {one(wide + "\n"), "a.go:3: the line has 101 columns, the limit is 100"},
		"columns after tabs": {
			one("package a\n\nfunc f() {\n\t_ = 1 // " + strings.Repeat("é", 88) + "\n}\n"),
			"a.go:4: the line has 101 columns",
		},
		"columns in a raw string": {
			one("package a\n\nvar a = `\n" + strings.Repeat("x", 200) + "\n`\n"), "",
		},
		"9 words":                 {one("// Package a b c d e f g h\npackage a\n"), ""},
		"10 words of a directive": {one("//a b c d e f g h i j\npackage a\n"), ""},
		"10 words": {
			one("// Package a b c d e f g h i\npackage a\n"),
			"comments have 10.0 words per line on average, the limit is 9.5",
		},
		"an unwanted word": {
			one("package a\n\n/*\n\nWhoever\n*/\n"),
			`a.go:5: the comment says "Whoever", use plainer words`,
		},
		"an unwanted word in a string": {one("package a\n\nvar a = \"http://whoever\"\n"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs strings.Builder
			code := run([]string{tree(t, c.files)}, &out, &errs)
			lines := strings.Count(out.String(), "\n")

			switch {
			case c.want == "" && (code != 0 || lines != 0):
				t.Errorf("exit code %d, output %q; want no violation", code, out.String())
			case c.want != "" && (code != 1 || lines != 1 || !strings.Contains(out.String(), c.want)):
				t.Errorf("exit code %d, output %q; want %q alone", code, out.String(), c.want)
			}
			if errs.Len() > 0 {
				t.Errorf("errors: %s", errs.String())
			}
		})
	}
}

func TestRun_EachUnwantedWord(t *testing.T) {
	t.Parallel()
	words := []string{"whoever", "lest", "affair", "besides", "told", "is none", "be it"}
	for _, word := range words {
		root := tree(t, one("package a\n\n// Some text, "+word+" more.\n"))
		var out, errs strings.Builder
		code := run([]string{root}, &out, &errs)
		if code != 1 || !strings.Contains(out.String(), `"`+word+`"`) {
			t.Errorf("%s: exit code %d, output %q", word, code, out.String())
		}
	}
}

func TestRun_TestsCountForWordingAndLength(t *testing.T) {
	t.Parallel()
	wide := "func f(a, b, c, d, e, f int) {" + strings.Repeat("\n", 60) + "}"
	root := tree(t, map[string]string{
		"a/a_test.go": "package a\n\n// lest " + strings.Repeat("x", 100) + "\n" + wide,
	})
	var out, errs strings.Builder
	if code := run([]string{root}, &out, &errs); code != 1 ||
		strings.Count(out.String(), "\n") != 1 || !strings.Contains(out.String(), `"lest"`) {
		t.Errorf("exit code %d, output %q", code, out.String())
	}
}

func TestRun_SkipsHiddenFoldersAndTestdata(t *testing.T) {
	t.Parallel()
	root := tree(t, map[string]string{"a/testdata/x.go": "not Go", ".git/x.go": "not Go"})
	var out, errs strings.Builder
	if code := run([]string{root}, &out, &errs); code != 0 {
		t.Errorf("exit code %d, errors %q", code, errs.String())
	}
}

func TestRun_PrintsFiguresOfFolders(t *testing.T) {
	t.Parallel()
	root := tree(t, one("// Package a is\n// small.\npackage a\n"))
	var out, errs strings.Builder
	code := run([]string{"-table", root}, &out, &errs)
	text := strings.Join(strings.Fields(out.String()), " ")
	if code != 0 || !strings.Contains(text, "a 1 files 3 lines 2.0 words per comment line") ||
		!strings.HasSuffix(text, "2.0 words per comment line in all, tests included") {
		t.Errorf("exit code %d, output %q", code, out.String())
	}
}

func TestRun_UnreadableCode(t *testing.T) {
	t.Parallel()
	for name, arguments := range map[string][]string{
		"no folder":    {filepath.Join(t.TempDir(), "missing")},
		"no Go":        {tree(t, one("not Go"))},
		"unknown flag": {"-unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs strings.Builder
			if code := run(arguments, &out, &errs); code != 2 || errs.Len() == 0 {
				t.Errorf("exit code %d, errors %q; want 2 and a reason", code, errs.String())
			}
		})
	}
}
