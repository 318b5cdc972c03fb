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

const storageForms = "s3://bucket/prefix, gs://bucket/prefix, az://account/container/prefix or file:///directory"

// storageURL reads the short form of a storage that people type. Region,
// endpoint and credentials come from the variables that the clouds' own tools
// read too. The secret itself stays where it is: only its name goes into the
// payload, for the worker to resolve, unless a sealer puts the sealed secret
// in its place.
func storageURL(raw string, vars map[string]string) (tasks.Storage, error) {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return tasks.Storage{}, fmt.Errorf("not a storage URL: give %s, without user, ? or #", storageForms)
	}
	path := strings.TrimPrefix(u.Path, "/")
	switch u.Scheme {
	case "s3":
		return s3Storage(u.Host, path, vars), nil
	case "gs":
		return gcsStorage(u.Host, path, vars)
	case "az":
		container, prefix, _ := strings.Cut(path, "/")
		return azureStorage(tasks.Storage{Provider: "azure", Account: u.Host, Bucket: container, Prefix: prefix}, vars), nil
	case "file":
		dir, err := filepath.Abs(filepath.FromSlash(u.Host + u.Path)) // file://data is ./data, file:///data is /data
		return tasks.Storage{Provider: "file", Bucket: dir}, err
	}
	return tasks.Storage{}, fmt.Errorf("storage %q: give %s", u.Scheme+"://"+u.Host, storageForms)
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

func gcsStorage(bucket, prefix string, vars map[string]string) (tasks.Storage, error) {
	s := tasks.Storage{
		Provider: "gcs", Bucket: bucket, Prefix: prefix, Project: vars["GOOGLE_CLOUD_PROJECT"],
		Auth: tasks.Auth{Method: tasks.AuthAnonymous},
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

func azureStorage(s tasks.Storage, vars map[string]string) tasks.Storage {
	switch {
	case vars["AZURE_STORAGE_CONNECTION_STRING"] != "":
		s.Auth = tasks.Auth{Method: tasks.AuthConnectionString, ConnectionString: envSecret("AZURE_STORAGE_CONNECTION_STRING")}
	case vars["AZURE_STORAGE_SAS_TOKEN"] != "":
		s.Auth = tasks.Auth{Method: tasks.AuthSAS, SASToken: envSecret("AZURE_STORAGE_SAS_TOKEN")}
	case vars["AZURE_STORAGE_KEY"] != "":
		s.Auth = tasks.Auth{Method: tasks.AuthAccountKey, AccountKey: envSecret("AZURE_STORAGE_KEY")}
	default:
		s.Auth = tasks.Auth{Method: tasks.AuthAnonymous}
	}
	return s
}

func envSecret(name string) tasks.Secret {
	s, _ := tasks.SecretRef("env:" + name) // the names above are all well formed
	return s
}

// storageFields is a storage as --set can still change it.
func storageFields(s tasks.Storage) (map[string]any, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var m map[string]any
	return m, json.Unmarshal(text, &m)
}
