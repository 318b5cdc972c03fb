package manifest

import (
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
	"github.com/stevedore-jobs/stevedore/worker/imagehead/head"
)

// codeOutside is the code of an image outside the manifest's
// directory. No entry can name it.
const codeOutside = "outside-manifest-directory"

// selection decides by the listing alone which objects belong in a
// manifest.
type selection struct {
	dir     string // the manifest's directory
	include []string
	exclude []string
}

func newSelection(j tasks.BuildManifest) selection {
	_, key := j.Target()
	return selection{dir: directory(key), include: j.Include, exclude: j.Exclude}
}

// skips reports whether an object does not belong in the manifest: it
// is not an image by its name, a job has written it, or it is
// excluded.
func (s selection) skips(key string) bool {
	if tasks.IsOwn(key) || imagehead.ByName(key) == imagehead.NotImage {
		return true
	}
	return !tasks.Selected(key, s.include, s.exclude)
}

// check returns an *head.Error if the listing alone shows that
// an image cannot be an entry.
func (s selection) check(o providers.Object) error {
	if err := imagehead.CheckKey(o.Key); err != nil {
		return err
	}
	switch {
	case !strings.HasPrefix(o.Key, s.dir):
		return &head.Error{Code: codeOutside, Detail: fmt.Sprintf(
			"the image is outside the manifest's directory, %q; CVAT resolves entries from there",
			s.dir)}
	case imagehead.ByName(o.Key) == imagehead.Unreadable:
		return &head.Error{Code: head.CodeUnsupported, Detail: fmt.Sprintf(
			"CVAT accepts %s as an image but cannot open it, and would fail the whole task",
			imagehead.Extension(o.Key))}
	}
	return nil
}
