package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"
)

// figures are what is measured of the Go code below some roots.
type figures struct {
	folders map[string]*folder
	order   []string // of folders, as they were found
	breaks  []string // of limits that hold for one line, file or function
	words   count    // of all comment lines, with those of tests
}

// folder is the code of one package, without its tests.
type folder struct {
	files, lines int
	methods      map[string]int // of each type
	words        count
}

// count is how many words stand on how many comment lines.
type count struct{ words, lines int }

func (c count) perLine() float64 {
	if c.lines == 0 {
		return 0
	}
	return float64(c.words) / float64(c.lines)
}

// read measures every Go file below the roots. Hidden folders and testdata
// are left out.
func read(roots []string) (*figures, error) {
	f := &figures{folders: map[string]*folder{}}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			hidden := strings.HasPrefix(d.Name(), ".") && path != root
			switch {
			case err != nil:
				return err
			case d.IsDir() && (hidden || d.Name() == "testdata"):
				return fs.SkipDir
			case d.IsDir() || filepath.Ext(path) != ".go":
				return nil
			}
			return f.file(path)
		})
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *figures) file(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, text, parser.ParseComments)
	if err != nil {
		return err
	}
	test := strings.HasSuffix(path, "_test.go")
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	words := comments(lines)
	f.words.words += words.words
	f.words.lines += words.lines
	f.lines(path, lines, test)
	if test {
		return nil
	}
	d := f.folder(filepath.Dir(path))
	d.files++
	d.lines += len(lines)
	d.words.words += words.words
	d.words.lines += words.lines
	f.functions(d, set, tree)
	return nil
}

func (f *figures) folder(name string) *folder {
	if f.folders[name] == nil {
		f.folders[name] = &folder{methods: map[string]int{}}
		f.order = append(f.order, name)
	}
	return f.folders[name]
}

// comments counts the lines that hold nothing but a comment, and their words.
func comments(lines [][]byte) (c count) {
	for _, line := range lines {
		text, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("//"))
		if ok && bytes.HasPrefix(text, []byte(" ")) {
			c.lines++
			c.words += len(bytes.Fields(text))
		}
	}
	return c
}

// unwanted are words that this project's comments do without. A reader with
// English as a second language stumbles over them.
var unwanted = regexp.MustCompile(`(?i)\b(whoever|lest|affair|besides|told|is none|be it)\b`)

func (f *figures) lines(path string, lines [][]byte, test bool) {
	if !test && len(lines) > maxFileLines {
		f.fault("%s: %d lines; a file has at most %d", path, len(lines), maxFileLines)
	}
	for i, line := range lines {
		text := strings.ReplaceAll(string(line), "\t", "    ")
		if n := utf8.RuneCountInString(
			text,
		); !test && n > maxColumns &&
			!strings.Contains(text, "`") {
			f.fault("%s:%d: %d columns; a line has at most %d", path, i+1, n, maxColumns)
		}
		if _, comment, ok := strings.Cut(text, "//"); ok && unwanted.MatchString(comment) {
			f.fault(
				"%s:%d: %q in a comment: say it in plainer words",
				path,
				i+1,
				unwanted.FindString(comment),
			)
		}
	}
}

func (f *figures) functions(d *folder, set *token.FileSet, tree *ast.File) {
	for _, decl := range tree.Decls {
		function, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		from, to := set.Position(function.Pos()), set.Position(function.End())
		if n := to.Line - from.Line + 1; n > maxFunctionLines {
			f.fault("%s:%d: %s has %d lines; a function has at most %d",
				from.Filename, from.Line, function.Name.Name, n, maxFunctionLines)
		}
		if function.Recv != nil {
			d.methods[receiver(function.Recv.List[0].Type)]++
		}
	}
}

// receiver is the name of a method's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "?"
}
