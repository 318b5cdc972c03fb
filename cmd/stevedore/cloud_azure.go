package main

import (
	"net/http"
	"strings"

	"github.com/stevedore-jobs/stevedore/cmd/stevedore/payload"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func azureCloud() cloud {
	return cloud{
		provider: "azure",
		scheme: payload.Scheme{
			Name:  "az",
			Form:  "az://account/container/prefix",
			Takes: []string{payload.TakesEndpoint},
			Credentials: "Set AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_KEY " +
				"or AZURE_STORAGE_CONNECTION_STRING",
			Storage: azureStorage,
		},
		open: func(a access, client *http.Client) (providers.Opener, error) {
			return &azure.Opener{
				Client: client, WorkerIdentity: a.mayUse("azure"), Person: a.person,
			}, nil
		},
		policy: policy.Azure,
	}
}

func azureStorage(a payload.Address, vars map[string]string) (tasks.Storage, error) {
	container, prefix, _ := strings.Cut(a.Path, "/")
	s := tasks.Storage{Provider: "azure", Account: a.Host, Bucket: container, Prefix: prefix}
	const (
		connection = "AZURE_STORAGE_CONNECTION_STRING"
		token      = "AZURE_STORAGE_SAS_TOKEN"
		key        = "AZURE_STORAGE_KEY"
	)
	switch {
	case vars[connection] != "":
		s.Auth.Method, s.Auth.ConnectionString = tasks.AuthConnectionString, envSecret(connection)
	case vars[token] != "":
		s.Auth.Method, s.Auth.SASToken = tasks.AuthSAS, envSecret(token)
	case vars[key] != "":
		s.Auth.Method, s.Auth.AccountKey = tasks.AuthAccountKey, envSecret(key)
	}
	return s, nil
}
