package main

import (
	"strings"
	"testing"
)

func TestRun_GoroutinesStartInOnePackage(t *testing.T) {
	t.Parallel()
	const refused = "goroutines start in package guard, which catches their panics"
	in := func(folder, source string) map[string]string {
		return map[string]string{folder + "/a.go": source}
	}
	after := func(function string) map[string]string {
		return one("package a\n\nimport \"context\"\n\nvar b = context.AfterFunc(ctx, " + function + ")\n")
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string // a part of the only violation; empty for none
	}{
		"a go statement":             {one("package a\n\nfunc f() { go f() }\n"), "a/a.go:3: a go statement; " + refused},
		"a go statement in guard":    {in("tasks/guard", "package guard\n\nfunc f() { go f() }\n"), ""},
		"a go statement in a test":   {map[string]string{"a/a_test.go": "package a\n\nfunc f() { go f() }\n"}, ""},
		"in the emulators":           {in("deploy/emulators/web", "package web\n\nfunc f() { go f() }\n"), ""},
		"in a package with the name": {in("a/guard", "package guard\n\nfunc f() { go f() }\n"), "a go statement; " + refused},
		"errgroup":                   {one("package a\n\nimport _ \"golang.org/x/sync/errgroup\"\n"), "a/a.go:3: errgroup; " + refused},
		"a wait group":               {one("package a\n\nimport \"sync\"\n\nvar g sync.WaitGroup\n"), "a/a.go:5: sync.WaitGroup; " + refused},
		"a wait group, renamed":      {one("package a\n\nimport s \"sync\"\n\nvar g *s.WaitGroup\n"), "a/a.go:5: sync.WaitGroup; " + refused},
		"a mutex":                    {one("package a\n\nimport \"sync\"\n\nvar g sync.Mutex\n"), ""},
		"one call":                   {after("func() { c.Close() }"), ""},
		"one call without its error": {after("func() { _ = c.Close() }"), ""},
		"a function by its name":     {after("c.run"), "AfterFunc does more than one call; " + refused},
		"two calls":                  {after("func() { c.lock(); c.Close() }"), "AfterFunc does more than one call; " + refused},
		"a loop":                     {after("func() { for { c.run() } }"), "AfterFunc does more than one call; " + refused},
		"a function in a function":   {after("func() { func() { for { c.run() } }() }"), "AfterFunc does more than one call; " + refused},
		"another AfterFunc":          {one("package a\n\nvar b = x.AfterFunc(run)\n"), ""},
		"after a time": {
			one("package a\n\nimport \"time\"\n\nvar b = time.AfterFunc(1, c.run)\n"),
			"a/a.go:5: the function of AfterFunc does more than one call; " + refused,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs strings.Builder
			code := run([]string{tree(t, c.files)}, &out, &errs)
			lines := strings.Count(out.String(), "\n")
			if c.want == "" && (code != 0 || lines != 0) {
				t.Errorf("exit code %d, output %q; want no violation", code, out.String())
			}
			if c.want != "" && (code != 1 || lines != 1 || !strings.Contains(out.String(), c.want)) {
				t.Errorf("exit code %d, output %q; want %q alone", code, out.String(), c.want)
			}
		})
	}
}
