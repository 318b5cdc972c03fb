package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// The limits. They hold for code without its tests, but for maxTestLines
// and maxCommentWords.
const (
	maxFolderFiles      = 18
	maxFolderLines      = 1500
	maxFileLines        = 300
	maxTestLines        = 400 // of a test file
	maxFunctionLines    = 50
	maxParameters       = 5
	maxTypeMethods      = 15
	maxInterfaceMethods = 6
	maxColumns          = 100 // with tabs of four columns
	maxCommentWords     = 9.5 // per comment line, on average over all files
)

// report holds what a run found.
type report struct {
	violations []string
	folders    []*folder // in the order of the walk
	comments   wordCount // of all files, tests included
}

// folder holds the figures of one folder without its tests.
type folder struct {
	path         string
	files, lines int
	comments     wordCount
	methods      map[string]int // by type
}

// check reads all Go files below the roots and compares them with the
// limits.
func check(roots []string) (*report, error) {
	r := &report{}
	for _, root := range roots {
		if err := walk(root, r.addFile); err != nil {
			return nil, err
		}
	}

	for _, f := range r.folders {
		r.checkFolder(f)
	}
	if n := r.comments.perLine(); n > maxCommentWords {
		r.violation("comments have %.1f words per line on average, the limit is %.1f",
			n, maxCommentWords)
	}
	return r, nil
}

// addFile checks one file and adds its figures to those of its
// folder.
func (r *report) addFile(f *file) {
	words := countWords(f.lines)
	r.comments.add(words)
	r.checkWording(f)
	if f.test {
		r.checkLength(f, maxTestLines)
		return
	}

	r.checkLength(f, maxFileLines)
	r.checkWidth(f)
	r.checkKeys(f)
	r.checkGoroutines(f)
	folder := r.folder(f.folder())
	folder.files++
	folder.lines += len(f.lines)
	folder.comments.add(words)
	r.checkDeclarations(f, folder)
}

// folder returns the figures of the folder with this path.
func (r *report) folder(path string) *folder {
	at := slices.IndexFunc(r.folders, func(f *folder) bool { return f.path == path })
	if at < 0 {
		at = len(r.folders)
		r.folders = append(r.folders, &folder{path: path, methods: map[string]int{}})
	}
	return r.folders[at]
}

func (r *report) checkFolder(f *folder) {
	if f.files > maxFolderFiles {
		r.violation("%s: the folder has %d files, the limit is %d", f.path, f.files, maxFolderFiles)
	}
	if f.lines > maxFolderLines {
		r.violation("%s: the folder has %d lines, the limit is %d", f.path, f.lines, maxFolderLines)
	}
	for _, name := range slices.Sorted(maps.Keys(f.methods)) {
		if n := f.methods[name]; n > maxTypeMethods {
			r.violation("%s: type %s has %d methods, the limit is %d",
				f.path, name, n, maxTypeMethods)
		}
	}
}

func (r *report) violation(format string, args ...any) {
	r.violations = append(r.violations, fmt.Sprintf(format, args...))
}

// printTable writes one line per folder, and the average of all
// comments.
func (r *report) printTable(out io.Writer) {
	for _, f := range r.folders {
		_, _ = fmt.Fprintf(out, "%-40s %3d files %5d lines %5.1f words per comment line\n",
			f.path, f.files, f.lines, f.comments.perLine())
	}
	_, _ = fmt.Fprintf(out, "%.1f words per comment line in all, tests included\n",
		r.comments.perLine())
}
