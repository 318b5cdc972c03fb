package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// storageURL reads the short form of a storage that people type: s3://bucket/prefix or file:///directory. Region, endpoint
// and credentials come from the variables that the AWS tools read too. The secret itself stays in the environment: only
// its name goes into the payload, for the worker to resolve.
func storageURL(raw string, vars map[string]string) (map[string]any, error) {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("not a storage URL: give s3://bucket/prefix or file:///directory, without user, ? or #")
	}
	switch u.Scheme {
	case "s3":
		return fields(s3Storage(u.Host, strings.TrimPrefix(u.Path, "/"), vars))
	case "file":
		dir, err := filepath.Abs(filepath.FromSlash(u.Host + u.Path)) // file://data is ./data, file:///data is /data
		if err != nil {
			return nil, err
		}
		return fields(tasks.Storage{Provider: "file", Bucket: dir})
	}
	return nil, fmt.Errorf("storage %q: this version reaches s3:// and file://", u.Scheme+"://"+u.Host)
}

func s3Storage(bucket, prefix string, vars map[string]string) tasks.Storage {
	s := tasks.Storage{
		Provider: "s3", Bucket: bucket, Prefix: prefix,
		Region:   cmp.Or(vars["AWS_REGION"], vars["AWS_DEFAULT_REGION"]),
		Endpoint: cmp.Or(vars["AWS_ENDPOINT_URL_S3"], vars["AWS_ENDPOINT_URL"]),
		Auth:     tasks.Auth{Method: tasks.AuthAnonymous},
	}
	if vars["AWS_ACCESS_KEY_ID"] == "" {
		return s
	}
	s.Auth = tasks.Auth{
		Method: tasks.AuthAccessKey, AccessKeyID: vars["AWS_ACCESS_KEY_ID"],
		SecretAccessKey: envSecret("AWS_SECRET_ACCESS_KEY"),
	}
	if vars["AWS_SESSION_TOKEN"] != "" {
		s.Auth.SessionToken = envSecret("AWS_SESSION_TOKEN")
	}
	return s
}

func envSecret(name string) tasks.Secret {
	s, _ := tasks.SecretRef("env:" + name) // the names above are all well formed
	return s
}

// fields is a storage as --set can still change it.
func fields(s tasks.Storage) (map[string]any, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var m map[string]any
	return m, json.Unmarshal(text, &m)
}
