package demo

import (
	"testing"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/demo/dataset"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// The demo fails when a result or a file is wrong.
func TestDemoNoticesWrongResults(t *testing.T) {
	t.Parallel()
	f := dataset.Count()
	right := tasks.BuildManifestResult{Entries: int64(f.Images), Failed: int64(f.Corrupt)}
	wrong := right
	wrong.Entries--
	if check := manifestOf(false); !check(right, f) || check(wrong, f) {
		t.Error("a manifest without one of its entries passes")
	}
	if err := checkFiles(t.TempDir()); err == nil {
		t.Error("an empty directory passes")
	}
}
