package formats

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// payload is a valid payload but for its formats.
func payload(in, out string) tasks.ExportAnnotations {
	return tasks.ExportAnnotations{
		Source:      tasks.Storage{Provider: "mem", Bucket: "b"},
		Annotations: tasks.Annotations{Key: "annotations.xml", Format: in},
		Format:      out, Key: "out.zip",
	}
}

// The contract accepts exactly the formats of the table.
func TestTable_AgreesWithTheContract(t *testing.T) {
	t.Parallel()
	err := payload("none", "none").Validate()
	if err == nil {
		t.Fatal("the contract accepts unknown formats")
	}
	seen := map[string]bool{}
	for _, f := range table {
		if f.name == "" || f.reader == nil && f.writer == nil || seen[f.name] {
			t.Errorf("%+v is not complete, or not the only line of its format", f)
		}
		seen[f.name] = true
		in, out := tasks.FormatCVATImages, tasks.FormatCOCOInstances
		if f.reader != nil {
			in = f.name
		}
		if f.writer != nil {
			out = f.name
		}
		if err := payload(in, out).Validate(); err != nil {
			t.Errorf("the contract refuses %s: %v", f.name, err)
		}
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
