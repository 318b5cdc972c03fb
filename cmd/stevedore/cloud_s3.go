package main

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/payload"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func s3Cloud() cloud {
	return cloud{
		provider: "s3",
		scheme:   payload.Scheme{Name: "s3", Form: "s3://bucket/prefix", Storage: s3Storage},
		open: func(a access, client *http.Client) (providers.Opener, error) {
			return &s3.Opener{
				Client:         client,
				WorkerIdentity: a.mayUse("s3"),
				STSEndpoint:    a.stsEndpoint,
			}, nil
		},
		policy: policy.S3,
	}
}

func s3Storage(u *url.URL, vars map[string]string) (tasks.Storage, error) {
	s := tasks.Storage{
		Provider: "s3",
		Bucket:   u.Host,
		Prefix:   strings.TrimPrefix(u.Path, "/"),
		Region:   cmp.Or(vars["AWS_REGION"], vars["AWS_DEFAULT_REGION"]),
		Endpoint: cmp.Or(vars["AWS_ENDPOINT_URL_S3"], vars["AWS_ENDPOINT_URL"]),
		Auth:     tasks.Auth{Method: tasks.AuthAnonymous},
	}
	if vars["AWS_ACCESS_KEY_ID"] == "" {
		return s, nil
	}
	s.Auth = tasks.Auth{
		Method:          tasks.AuthAccessKey,
		AccessKeyID:     vars["AWS_ACCESS_KEY_ID"],
		SecretAccessKey: envSecret("AWS_SECRET_ACCESS_KEY"),
	}
	if vars["AWS_SESSION_TOKEN"] != "" {
		s.Auth.SessionToken = envSecret("AWS_SESSION_TOKEN")
	}
	return s, nil
}
