// Package file is buckets that are local directories: for trying things out,
// for network file systems, and for machines without a cloud.
//
// A key is a path below the directory, its slashes between directories. Every
// access goes through os.Root, so neither a key nor a symbolic link leads
// out. Directories without files are invisible, as are symbolic links,
// devices and whatever else is not a regular file. It knows nothing of
// networks and takes no credentials.
package file

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// RootsSetting is the environment variable with which the operator allows
// directories, named in errors.
const RootsSetting = "STEVEDORE_FILE_ROOTS"

// Opener opens directories below the ones that the operator allows. Make it
// with New.
type Opener struct {
	roots  []string
	commit *sync.Mutex // held from the look at an ETag to the rename
}

// New makes an opener. Each root is an absolute directory; a bucket may be a
// root itself or lie below one. Without roots every bucket is refused.
func New(roots ...string) (*Opener, error) {
	o := &Opener{commit: new(sync.Mutex)}
	for _, root := range roots {
		if !filepath.IsAbs(root) {
			return nil, fmt.Errorf("%s: %q is not an absolute directory", RootsSetting, root)
		}
		o.roots = append(o.roots, filepath.Clean(root))
	}
	return o, nil
}

// Open implements providers.Opener. A directory outside the roots is Denied;
// one that does not exist shows as NotFound at the first operation.
func (o *Opener) Open(_ context.Context, s tasks.Storage, _ providers.Secrets) (providers.Bucket, error) {
	if s.Auth.Method != "" || s.Endpoint != "" {
		return nil, &providers.Error{
			Op: "open", Bucket: s.Bucket, Kind: providers.Invalid, Code: "NotUsed",
			Detail: "provider file takes neither authentication nor an endpoint",
		}
	}
	b := &bucket{name: s.Bucket, dir: s.Dir(), commit: o.commit}
	allowed, below := o.within(filepath.Clean(s.Bucket))
	if allowed == "" {
		return nil, &providers.Error{
			Op: "open", Bucket: s.Bucket, Kind: providers.Denied, Code: "OutsideRoots",
			Detail: "this worker may not use that directory",
			Fix:    "Let the workers' operator add it, or a directory above it, to " + RootsSetting + ".",
		}
	}
	b.root, b.failed = openBelow(allowed, below)
	return b, nil
}

// within finds the root that a directory lies in, and the way from there.
func (o *Opener) within(dir string) (root, below string) {
	for _, root := range o.roots {
		below, err := filepath.Rel(root, dir)
		if err == nil && below != ".." && !strings.HasPrefix(below, "../") {
			return root, below
		}
	}
	return "", ""
}

// openBelow goes from a root to a directory in it without leaving it through
// a symbolic link.
func openBelow(root, below string) (*os.Root, error) {
	r, err := os.OpenRoot(root)
	if err != nil || below == "." {
		return r, err
	}
	defer func() { _ = r.Close() }()
	return r.OpenRoot(below)
}
