package identity

import (
	"context"
	"errors"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// personCredential returns the identity of the person at the keyboard:
// of the environment, of the machine, or the one that az login, azd
// auth login or PowerShell have signed in.
func personCredential(opts policy.ClientOptions) (azcore.TokenCredential, error) {
	opts.Transport = nil // the metadata service is not in the egress rules
	return azidentity.NewDefaultAzureCredential(
		&azidentity.DefaultAzureCredentialOptions{ClientOptions: opts})
}

// FindWorker returns an error if the worker has no identity in Azure
// that it could use on a storage.
func (s *Source) FindWorker(ctx context.Context, st tasks.Storage) error {
	id, err := s.Identity(st, providers.Secrets{})
	if err != nil {
		return err
	}
	_, err = id.session.GetToken(ctx, policy.TokenRequestOptions{
		Scopes: []string{tokenScope}, EnableCAE: true,
	})
	if err == nil || ctx.Err() != nil {
		return err
	}
	e := &providers.Error{
		Op: "sign in", Kind: providers.Unauthenticated, Code: "NoCredentials",
		Fix: "Sign in with az login, or set AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_KEY or " +
			"AZURE_STORAGE_CONNECTION_STRING. For a public container give --anonymous.",
	}
	var refused *azidentity.AuthenticationFailedError
	if errors.As(err, &refused) {
		e.Detail = "the credentials of Azure cannot be used: " + firstLine(err.Error())
		return e
	}
	e.Detail = "no credentials found: there is no AZURE_STORAGE_ or AZURE_CLIENT_ID variable, " +
		"no workload identity, no managed identity of the machine, " +
		"and nobody is signed in with az, azd or PowerShell"
	return e
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
