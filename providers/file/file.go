// Package file provides buckets that are local directories: for trials,
// for network file systems, and for machines without a cloud.
//
// A key is a path below the directory, with slashes between its parts.
// Every access goes through os.Root, so neither a key nor a symbolic
// link leads out. Only regular files are objects: directories without
// files, symbolic links and devices are invisible. The package knows no
// networks and takes no credentials.
package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// Opener opens directories below those that the operator allows. Make
// it with New.
type Opener struct {
	roots  []string
	commit *sync.Mutex // held from the check of an ETag to the rename
}

// New makes an opener. Each root is an absolute directory. A bucket may
// be a root itself or a directory below one. Without roots every bucket
// is refused.
func New(roots ...string) (*Opener, error) {
	o := &Opener{commit: new(sync.Mutex)}
	for _, root := range roots {
		if !filepath.IsAbs(root) {
			return nil, fmt.Errorf("%s: %q is not an absolute directory", setting.FileRoots, root)
		}
		o.roots = append(o.roots, filepath.Clean(root))
	}
	return o, nil
}

// Open implements providers.Opener. A directory outside the roots is
// Denied. One that does not exist is NotFound at the first operation.
func (o *Opener) Open(
	_ context.Context, s tasks.Storage, _ providers.Secrets,
) (providers.Bucket, error) {
	if s.Auth.Method != "" || s.Endpoint != "" {
		return nil, &providers.Error{
			Op: "open", Bucket: s.Bucket, Kind: providers.Invalid, Code: "NotUsed",
			Detail: "provider file takes neither authentication nor an endpoint",
		}
	}
	b := &bucket{name: s.Bucket, dir: s.Dir(), commit: o.commit}
	root, below := o.rootOf(filepath.Clean(s.Bucket))
	if root == "" {
		return nil, &providers.Error{
			Op: "open", Bucket: s.Bucket, Kind: providers.Denied, Code: "OutsideRoots",
			Detail: "this worker may not use that directory",
			Fix: "Let the workers' operator add it, or a directory above it, to " +
				setting.FileRoots.String() + ".",
		}
	}
	b.from, b.below = root, below
	b.root, b.openErr = openBelow(root, below)
	return b, nil
}

// Make implements providers.Maker. It makes the directory below one of
// the roots, which must exist.
func (b *bucket) Make(context.Context) error {
	if !errors.Is(b.openErr, fs.ErrNotExist) {
		return nil
	}
	root, err := os.OpenRoot(b.from)
	if err == nil {
		defer func() { _ = root.Close() }()
		err = root.MkdirAll(b.below, 0o755)
	}
	if err == nil {
		b.root, err = root.OpenRoot(b.below)
	}
	b.openErr = err
	return b.wrapError("make", "", err)
}

// rootOf finds the root that contains a directory, and the path from
// there.
func (o *Opener) rootOf(dir string) (root, below string) {
	for _, root := range o.roots {
		below, err := filepath.Rel(root, dir)
		if err == nil && below != ".." && !strings.HasPrefix(below, "../") {
			return root, below
		}
	}
	return "", ""
}

// openBelow opens a directory in a root. No symbolic link leads it out
// of the root.
func openBelow(root, below string) (*os.Root, error) {
	r, err := os.OpenRoot(root)
	if err != nil || below == "." {
		return r, err
	}
	defer func() { _ = r.Close() }()
	return r.OpenRoot(below)
}
