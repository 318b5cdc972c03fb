package formats

import (
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Payloads may name exactly the formats of the table.
func TestTable_AgreesWithTheContract(t *testing.T) {
	t.Parallel()
	var read, written []string
	for _, f := range table {
		if f.reader != nil {
			read = append(read, f.name)
		}
		if f.writer != nil {
			written = append(written, f.name)
		}
		if f.name == "" || f.reader == nil && f.writer == nil {
			t.Errorf("the line %+v is not complete", f)
		}
	}
	wantRead, wantWritten := tasks.AnnotationFormats()
	for _, list := range [][]string{read, written, wantRead, wantWritten} {
		slices.Sort(list)
	}
	if !slices.Equal(read, wantRead) || !slices.Equal(written, wantWritten) {
		t.Errorf("the table reads %q and writes %q; payloads may name %q and %q", read, written, wantRead, wantWritten)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, f := range table {
		if _, ok := NewReader(f.name, strings.NewReader("")); ok != (f.reader != nil) {
			t.Errorf("%s: reader %v", f.name, ok)
		}
		if _, ok := FindWriter(f.name); ok != (f.writer != nil) {
			t.Errorf("%s: writer %v", f.name, ok)
		}
	}
	if _, ok := NewReader("none", nil); ok {
		t.Error("a reader of an unknown format")
	}
	if _, ok := FindWriter("none"); ok {
		t.Error("a writer of an unknown format")
	}
}
