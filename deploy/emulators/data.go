package main

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// dataDir returns the directory for the data, and a function that
// removes it. A directory that the user names is made if missing and
// never removed. Otherwise it makes a temporary one, in memory if
// possible, because the gateway writes many small files.
func dataDir(dir string) (path string, remove func(), err error) {
	if dir != "" {
		if !filepath.IsAbs(dir) {
			return "", nil, fmt.Errorf("--dir %s is not absolute", dir)
		}
		return dir, func() {}, os.MkdirAll(dir, 0o700)
	}
	for _, parent := range []string{"/dev/shm", os.TempDir()} {
		path, err = os.MkdirTemp(parent, "emulators-")
		if err != nil {
			continue
		}
		// The gateway stores metadata in extended attributes. Not
		// every file system has them.
		if err = unix.Setxattr(path, "user.stevedore", []byte("x"), 0); err == nil {
			return path, func() { _ = os.RemoveAll(path) }, nil
		}
		_ = os.Remove(path)
	}
	return "", nil, fmt.Errorf("no directory with extended attributes, give --dir: %w", err)
}
