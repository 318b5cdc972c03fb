package main

import (
	"cmp"
	"net/http"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/payload"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func s3Cloud() cloud {
	return cloud{
		provider: "s3",
		scheme: payload.Scheme{
			Name:  "s3",
			Form:  "s3://bucket/prefix",
			Takes: []string{payload.TakesRegion, payload.TakesEndpoint},
			Credentials: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, " +
				"for example with aws configure export-credentials --format env",
			Storage: s3Storage,
		},
		open: func(a access, client *http.Client) (providers.Opener, error) {
			return &s3.Opener{
				Client:         client,
				WorkerIdentity: a.mayUse("s3"),
				STSEndpoint:    a.stsEndpoint,
				Person:         a.person,
				Profile:        a.profile,
			}, nil
		},
		policy: policy.S3,
	}
}

func s3Storage(a payload.Address, vars map[string]string) (tasks.Storage, error) {
	profile, err := s3.LoadProfile(func(name string) string { return vars[name] })
	if err != nil {
		return tasks.Storage{}, err
	}
	s := tasks.Storage{
		Provider: "s3",
		Bucket:   a.Host,
		Prefix:   a.Path,
		Region:   cmp.Or(vars["AWS_REGION"], vars["AWS_DEFAULT_REGION"], profile.Region),
		Endpoint: cmp.Or(vars["AWS_ENDPOINT_URL_S3"], vars["AWS_ENDPOINT_URL"], profile.Endpoint),
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
