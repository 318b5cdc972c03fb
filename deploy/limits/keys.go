package main

import (
	"go/ast"
	"go/token"
	"strings"
)

// orderFolder is the only folder that may compare keys.
const orderFolder = "providers/keyorder"

// checkKeys looks for code that puts keys in order by itself. Which of
// two keys comes first depends on the bucket, so only the package
// keyorder knows. Keys are recognised by the names of variables.
func (r *report) checkKeys(f *file) {
	if strings.HasSuffix(f.folder(), orderFolder) {
		return
	}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		var operands []ast.Expr
		switch n := n.(type) {
		case *ast.BinaryExpr:
			switch n.Op {
			case token.LSS, token.GTR, token.LEQ, token.GEQ:
				operands = []ast.Expr{n.X, n.Y}
			}
		case *ast.CallExpr:
			if name := nameOf(n.Fun); name == "Compare" && isPackageOf(n.Fun, "cmp", "strings") {
				operands = n.Args
			}
		}
		for _, e := range operands {
			if isKey(e) {
				r.violation("%s:%d: keys are compared; only the order of their bucket "+
					"(package keyorder) tells which comes first", f.path, f.line(n.Pos()))
				break
			}
		}
		return true
	})
}

// isKey reports whether an expression is a key by its name, or
// ToString of one.
func isKey(e ast.Expr) bool {
	if call, ok := e.(*ast.CallExpr); ok && nameOf(call.Fun) == "ToString" && len(call.Args) == 1 {
		return isKey(call.Args[0])
	}
	switch nameOf(e) {
	case "key", "Key", "after", "After", "through", "Through":
		return true
	}
	return false
}

// nameOf returns the last identifier of an expression: b of a.b.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// isPackageOf reports whether a function belongs to one of some
// packages.
func isPackageOf(function ast.Expr, packages ...string) bool {
	selector, ok := function.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	for _, name := range packages {
		if nameOf(selector.X) == name {
			return true
		}
	}
	return false
}
