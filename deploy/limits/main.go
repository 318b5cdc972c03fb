// Command limits checks the sizes and the words that CONTRIBUTING promises
// for the Go code of this repository: lines a file, a function and a folder,
// files a folder, methods a type, words a comment line, and words that are
// not used.
//
// It prints one line for each fault and ends with 1 when there are any.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	table := flag.Bool("table", false, "print the figures of every folder too")
	flag.Parse()
	os.Exit(run(flag.Args(), *table, os.Stdout, os.Stderr))
}

// run checks the folders below the roots, the current one when there is none.
// It returns the exit code.
func run(roots []string, table bool, out, errs io.Writer) int {
	if len(roots) == 0 {
		roots = []string{"."}
	}
	house, err := read(roots)
	if err != nil {
		_, _ = fmt.Fprintln(errs, "limits:", err)
		return 2
	}
	if table {
		house.print(out)
	}
	faults := house.faults()
	for _, f := range faults {
		_, _ = fmt.Fprintln(out, f)
	}
	if len(faults) > 0 {
		return 1
	}
	return 0
}
