package formats

import (
	"slices"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
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

// Annotations come before images, and images before names.jsonl.
func TestWriters_PathsAreSorted(t *testing.T) {
	t.Parallel()
	for _, f := range table {
		if f.writer == nil {
			continue
		}
		last := f.writer.AnnotationsPath("~") // a late name in byte order
		first := f.writer.ImagePath(annotation.Image{Subset: "!", File: "!"})
		if last >= first || f.writer.ImagePath(annotation.Image{Subset: "~", File: "~"}) >= "names.jsonl" {
			t.Errorf("%s: annotations at %s, images at %s", f.name, last, first)
		}
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
