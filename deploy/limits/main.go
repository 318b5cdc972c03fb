// Command limits checks Go code against the limits of
// .github/CONTRIBUTING.md: the size of folders, files, functions,
// types and lines, and the wording of comments.
//
//	go run ./deploy/limits [-table] [folder ...]
//
// It reads every Go file below the folders, or below the current one
// when none is given. It skips hidden folders and testdata. Of test
// files it checks only the length and the wording.
//
// It prints one line per violation. The exit code is 1 if there are
// any, and 2 if the code cannot be read.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run executes the command and returns its exit code.
func run(arguments []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("limits", flag.ContinueOnError)
	flags.SetOutput(errs)
	table := flags.Bool("table", false, "also print the figures of every folder")
	if err := flags.Parse(arguments); err != nil {
		return 2
	}

	roots := flags.Args()
	if len(roots) == 0 {
		roots = []string{"."}
	}
	r, err := check(roots)
	if err != nil {
		_, _ = fmt.Fprintln(errs, "limits:", err)
		return 2
	}

	if *table {
		r.printTable(out)
	}
	for _, violation := range r.violations {
		_, _ = fmt.Fprintln(out, violation)
	}
	if len(r.violations) > 0 {
		return 1
	}
	return 0
}
