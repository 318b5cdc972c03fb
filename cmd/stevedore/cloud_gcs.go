package main

import (
	"net/http"
	"path/filepath"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/payload"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func gcsCloud() cloud {
	return cloud{
		provider: "gcs",
		scheme: payload.Scheme{
			Name:        "gs",
			Form:        "gs://bucket/prefix",
			Takes:       []string{payload.TakesEndpoint},
			Credentials: "Name a key file in GOOGLE_APPLICATION_CREDENTIALS",
			Storage:     gcsStorage,
		},
		open: func(a access, client *http.Client) (providers.Opener, error) {
			return &gcs.Opener{
				Client:         client,
				WorkerIdentity: a.mayUse("gcs"),
				TokenURL:       a.gcsTokenURL,
				Person:         a.person,
			}, nil
		},
		policy: policy.GCS,
	}
}

func gcsStorage(a payload.Address, vars map[string]string) (tasks.Storage, error) {
	s := tasks.Storage{
		Provider: "gcs",
		Bucket:   a.Host,
		Prefix:   a.Path,
		Project:  vars["GOOGLE_CLOUD_PROJECT"],
	}
	path := vars["GOOGLE_APPLICATION_CREDENTIALS"]
	if path == "" {
		return s, nil
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return s, err
	}
	s.Auth = tasks.Auth{Method: tasks.AuthKeyFile}
	s.Auth.KeyFile, err = tasks.SecretRef("file:" + path)
	return s, err
}
