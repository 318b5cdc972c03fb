package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// The limits. Tests count for the words alone.
const (
	maxFolderFiles   = 18
	maxFolderLines   = 1500
	maxFileLines     = 300
	maxFunctionLines = 50
	maxMethods       = 15
	maxColumns       = 100 // a tab counts as 4
	maxWords         = 9.5 // a comment line, over all files
)

func (f *figures) fault(format string, args ...any) {
	f.breaks = append(f.breaks, fmt.Sprintf(format, args...))
}

// faults lists what is over a limit, a line each.
func (f *figures) faults() []string {
	faults := slices.Clone(f.breaks)
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, name := range f.order {
		d := f.folders[name]
		if d.files > maxFolderFiles {
			add("%s: %d files; a folder has at most %d", name, d.files, maxFolderFiles)
		}
		if d.lines > maxFolderLines {
			add("%s: %d lines; a folder has at most %d", name, d.lines, maxFolderLines)
		}
		for _, typ := range slices.Sorted(maps.Keys(d.methods)) {
			if n := d.methods[typ]; n > maxMethods {
				add("%s: type %s has %d methods; at most %d", name, typ, n, maxMethods)
			}
		}
	}
	if n := f.words.perLine(); n > maxWords {
		add("%.1f words a comment line; at most %.1f", n, maxWords)
	}
	return faults
}

// print writes the figures of every folder.
func (f *figures) print(out io.Writer) {
	for _, name := range f.order {
		d := f.folders[name]
		_, _ = fmt.Fprintf(out, "%-40s %3d files %5d lines %5.1f words a comment line\n",
			name, d.files, d.lines, d.words.perLine())
	}
	_, _ = fmt.Fprintf(out, "%.1f words a comment line in all, tests too\n", f.words.perLine())
}
