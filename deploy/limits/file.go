package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// file is a parsed Go file.
type file struct {
	path  string
	lines []string
	test  bool
	set   *token.FileSet
	tree  *ast.File
}

// walk calls visit for every Go file below root, in the order of the
// paths. It skips hidden folders and testdata.
func walk(root string, visit func(*file)) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			hidden := strings.HasPrefix(d.Name(), ".") && path != root
			if hidden || d.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}

		f, err := readFile(path)
		if err != nil {
			return err
		}
		visit(f)
		return nil
	})
}

func readFile(path string) (*file, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	return &file{
		path:  path,
		lines: strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"),
		test:  strings.HasSuffix(path, "_test.go"),
		set:   set,
		tree:  tree,
	}, nil
}

func (f *file) folder() string { return filepath.Dir(f.path) }

// line returns the number of the line that holds a position.
func (f *file) line(p token.Pos) int { return f.set.Position(p).Line }
