package export

import (
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/worker/export/annotation"
)

// Names that are not canonical relative paths cannot be exported.
func TestNewImageRecord_LeavesOut(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "/a", "a//b", "../a", "a/./b", "a/..", strings.Repeat("a", 1025)} {
		im := newImageRecord(annotation.Image{Name: name, Width: 1, Height: 1}, &problemRoom{})
		if !im.leftOut || im.problems.line("k").Code != codeInvalidName || len(im.Name) > 1024 {
			t.Errorf("%q is exported", name)
		}
	}
}
