package manifest

import (
	"fmt"
	"strings"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/imagehead"
)

// codeOutside is the code of an image that no entry can name, because it lies
// elsewhere than the manifest.
const codeOutside = "outside-manifest-directory"

// chooser knows which objects belong into one manifest, by their listing
// alone.
type chooser struct {
	dir     string // of the manifest
	exclude []string
}

func newChooser(j tasks.BuildManifest) chooser {
	_, key := j.Target()
	return chooser{dir: directory(key), exclude: j.Exclude}
}

// skips reports whether an object is none of the manifest's business: no
// image by its name, as are manifests and directory markers, or left out on
// purpose.
func (c chooser) skips(key string) bool {
	if tasks.IsOwn(key) || imagehead.ByName(key) == imagehead.NotImage {
		return true
	}
	for _, prefix := range c.exclude {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// check finds what keeps an image out of the manifest before a byte of it is
// read, as an *imagehead.Error.
func (c chooser) check(o providers.Object) error {
	if err := imagehead.CheckKey(o.Key); err != nil {
		return err
	}
	switch {
	case !strings.HasPrefix(o.Key, c.dir):
		return &imagehead.Error{
			Code:   codeOutside,
			Detail: fmt.Sprintf("CVAT resolves entries from the manifest's own directory, %q; this image lies outside of it", c.dir),
		}
	case imagehead.ByName(o.Key) == imagehead.Unreadable:
		return &imagehead.Error{
			Code:   imagehead.CodeUnsupported,
			Detail: fmt.Sprintf("CVAT takes %s for an image but cannot open it, and would fail the whole task", imagehead.Extension(o.Key)),
		}
	}
	return nil
}
