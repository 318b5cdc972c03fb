package main

import (
	"go/ast"
	"slices"
	"strconv"
	"strings"
)

// unguarded are the folders that may start goroutines by themselves.
var unguarded = []string{
	"tasks/guard",            // the room that starts them for all others
	"deploy/emulators",       // programs of their own: a panic ends no worker
	"deploy/examples",        // the same
	"providers/providertest", // runs in tests alone
	"tasks/queue/queuetest",  // the same
	"worker/job/jobtest",     // the same
}

// checkGoroutines looks for code that starts goroutines by itself. A
// panic in such a goroutine would end the process, and the jobs of all
// tenants with it. Functions that run at the end of a context or at a
// time have goroutines too: they may only make one call, such as Close.
func (r *report) checkGoroutines(f *file) {
	if slices.ContainsFunc(unguarded, func(folder string) bool {
		return strings.Contains("/"+f.path, "/"+folder+"/")
	}) {
		return
	}
	refuse := func(n ast.Node, what string) {
		r.violation("%s:%d: %s; goroutines start in package guard, which catches their panics",
			f.path, f.line(n.Pos()), what)
	}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			refuse(n, "a go statement")
		case *ast.ImportSpec:
			if importPath(n) == "golang.org/x/sync/errgroup" {
				refuse(n, "errgroup")
			}
		case *ast.SelectorExpr:
			if f.imports(n, "sync") && n.Sel.Name == "WaitGroup" {
				refuse(n, "sync.WaitGroup")
			}
		case *ast.CallExpr:
			if f.imports(n.Fun, "time", "context") && nameOf(n.Fun) == "AfterFunc" &&
				!isOneCall(n.Args[len(n.Args)-1]) {
				refuse(n, "the function of AfterFunc does more than one call")
			}
		}
		return true
	})
}

// imports reports whether an expression is of the form p.Name, where p
// is one of some packages.
func (f *file) imports(e ast.Expr, packages ...string) bool {
	return slices.ContainsFunc(f.tree.Imports, func(spec *ast.ImportSpec) bool {
		path := importPath(spec)
		name := path
		if spec.Name != nil {
			name = spec.Name.Name
		}
		return slices.Contains(packages, path) && isPackageOf(e, name)
	})
}

func importPath(spec *ast.ImportSpec) string {
	path, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
	return path
}

// isOneCall reports whether an expression is a function without
// parameters whose body is one call.
func isOneCall(e ast.Expr) bool {
	function, ok := e.(*ast.FuncLit)
	if !ok || len(function.Body.List) != 1 {
		return false
	}
	var result ast.Expr
	switch s := function.Body.List[0].(type) {
	case *ast.ExprStmt:
		result = s.X
	case *ast.AssignStmt:
		result = s.Rhs[0]
	}
	call, ok := result.(*ast.CallExpr)
	if !ok {
		return false
	}
	_, nested := call.Fun.(*ast.FuncLit)
	return !nested
}
