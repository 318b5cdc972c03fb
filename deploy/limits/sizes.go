package main

import (
	"go/ast"
	"go/token"
	"strings"
	"unicode/utf8"
)

// checkLength checks the number of a file's lines.
func (r *report) checkLength(f *file, limit int) {
	if n := len(f.lines); n > limit {
		r.violation("%s: the file has %d lines, the limit is %d", f.path, n, limit)
	}
}

// checkWidth checks the width of a file's lines. A line that holds a
// part of a raw string may be wider, because it cannot be wrapped.
func (r *report) checkWidth(f *file) {
	raw := f.rawLines()
	for i, line := range f.lines {
		width := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    "))
		if width > maxColumns && !raw[i+1] {
			r.violation("%s:%d: the line has %d columns, the limit is %d",
				f.path, i+1, width, maxColumns)
		}
	}
}

// rawLines returns the numbers of the lines that hold a part of a raw
// string.
func (f *file) rawLines() map[int]bool {
	lines := map[int]bool{}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		text, ok := n.(*ast.BasicLit)
		if ok && text.Kind == token.STRING && strings.HasPrefix(text.Value, "`") {
			for i := f.line(text.Pos()); i <= f.line(text.End()); i++ {
				lines[i] = true
			}
		}
		return true
	})
	return lines
}

// checkDeclarations checks the functions and interfaces of a file, and counts
// the methods of each type of its folder.
func (r *report) checkDeclarations(f *file, in *folder) {
	ast.Inspect(f.tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			r.checkFunction(f, n)
			if n.Recv != nil {
				in.methods[typeName(n.Recv.List[0].Type)]++
			}
		case *ast.TypeSpec:
			if i, ok := n.Type.(*ast.InterfaceType); ok {
				r.checkInterface(f, n.Name, i)
			}
		}
		return true
	})
}

func (r *report) checkFunction(f *file, function *ast.FuncDecl) {
	first, last := f.line(function.Pos()), f.line(function.End())
	if n := last - first + 1; n > maxFunctionLines {
		r.violation("%s:%d: %s has %d lines, the limit is %d",
			f.path, first, function.Name.Name, n, maxFunctionLines)
	}
	if n := function.Type.Params.NumFields(); n > maxParameters {
		r.violation("%s:%d: %s has %d parameters, the limit is %d",
			f.path, first, function.Name.Name, n, maxParameters)
	}
}

func (r *report) checkInterface(f *file, name *ast.Ident, i *ast.InterfaceType) {
	if n := i.Methods.NumFields(); n > maxInterfaceMethods {
		r.violation("%s:%d: interface %s has %d methods, the limit is %d",
			f.path, f.line(name.Pos()), name, n, maxInterfaceMethods)
	}
}

// typeName returns the name of a method's receiver type.
func typeName(receiver ast.Expr) string {
	switch e := receiver.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.IndexListExpr:
		return typeName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "?"
}
