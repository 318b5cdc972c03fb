package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/payload"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/file"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func fileCloud() cloud {
	return cloud{
		provider: "file",
		scheme:   payload.Scheme{Name: "file", Form: "file:///directory", Storage: fileStorage},
		open: func(a access, _ *http.Client) (providers.Opener, error) {
			return file.New(a.fileRoots...)
		},
	}
}

// fileStorage takes file:///data for /data. What follows two slashes is
// a host by the rules of URLs, but people mean a directory.
func fileStorage(a payload.Address, _ map[string]string) (tasks.Storage, error) {
	path := "/" + a.Path
	if a.Host == "" {
		return tasks.Storage{Provider: "file", Bucket: filepath.Clean(path)}, nil
	}
	given := strings.TrimSuffix(a.Host+path, "/")
	below, err := filepath.Abs(given)
	if err != nil {
		return tasks.Storage{}, err
	}
	return tasks.Storage{}, fmt.Errorf("file://%[1]s has two slashes: "+
		"write file:///%[1]s for the directory /%[1]s, or file://%[2]s for %[1]s in this directory",
		given, below)
}
