package main

import (
	"net/http"
	"net/url"
	"path/filepath"

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

// fileStorage takes file:///data for /data, and file://data for ./data.
func fileStorage(u *url.URL, _ map[string]string) (tasks.Storage, error) {
	dir, err := filepath.Abs(filepath.FromSlash(u.Host + u.Path))
	return tasks.Storage{Provider: "file", Bucket: dir}, err
}
