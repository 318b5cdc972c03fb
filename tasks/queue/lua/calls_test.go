package lua

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every call of a script in package queue and those below has exactly the
// arguments of the script's header. The keys come from the header
// itself.
func TestCallsMatchHeaders(t *testing.T) {
	t.Parallel()
	scripts := scriptsByName(t)
	called := map[string]bool{}
	paths, err := filepath.Glob("../*.go")
	below, errBelow := filepath.Glob("../*/*.go")
	if err := errors.Join(err, errBelow); err != nil || len(paths) == 0 || len(below) == 0 {
		t.Fatal(err)
	}
	paths = append(paths, below...)
	for _, path := range paths {
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, args := readCall(call)
			if name == "" {
				return true
			}
			called[name] = true
			checkCall(t, path, name, args, scripts[name])
			return true
		})
	}
	for name := range scripts {
		if !called[name] {
			t.Errorf("no call of %s", name)
		}
	}
}

func checkCall(t *testing.T, path, name string, args []string, s *Script) {
	t.Helper()
	if s == nil {
		t.Errorf("%s: there is no script %s", path, name)
		return
	}
	want := make([]string, len(s.header.args))
	for i, arg := range s.header.args {
		want[i] = strings.TrimSuffix(arg, more)
	}
	slices.Sort(want)
	slices.Sort(args)
	if !slices.Equal(args, want) {
		t.Errorf("%s calls %s with %q, its header has %q", path, name, args, want)
	}
}

// scriptsByName reads lua.go for the names that the scripts have
// in Go.
func scriptsByName(t *testing.T) map[string]*Script {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "lua.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	scripts := map[string]*Script{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		call, ok := spec.Values[0].(*ast.CallExpr)
		if !ok {
			return true
		}
		file, err := strconv.Unquote(call.Args[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		scripts[spec.Names[0].Name] = load(file)
		return true
	})
	if len(scripts) < 20 {
		t.Fatalf("only %q found", slices.Collect(maps.Keys(scripts)))
	}
	return scripts
}

// readCall returns the script that a call runs and the names of
// its arguments. The script is an argument, as in c.run(ctx,
// lua.Plan, ...), or in the function, as in lua.Plan.Run(ctx,
// ...).
func readCall(call *ast.CallExpr) (script string, args []string) {
	if fun, ok := call.Fun.(*ast.SelectorExpr); ok {
		script = nameInLua(fun.X)
	}
	for _, arg := range call.Args {
		if name := nameInLua(arg); name != "" && name != "List" {
			script = name
		}
		literal, ok := arg.(*ast.CompositeLit)
		if !ok || nameInLua(literal.Type) != "Args" {
			continue
		}
		for _, element := range literal.Elts {
			key := element.(*ast.KeyValueExpr).Key.(*ast.BasicLit)
			name, _ := strconv.Unquote(key.Value)
			args = append(args, name)
		}
	}
	return script, args
}

// nameInLua returns X of lua.X, and an empty string for
// everything else.
func nameInLua(e ast.Expr) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if pkg, ok := s.X.(*ast.Ident); !ok || pkg.Name != "lua" {
		return ""
	}
	return s.Sel.Name
}
