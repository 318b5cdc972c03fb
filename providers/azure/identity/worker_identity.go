package identity

import (
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// workerIdentity makes the worker's own identity. The server at an
// endpoint of the payload would get the worker's token, so only Azure's
// own servers are allowed.
func (s *Source) workerIdentity(st tasks.Storage) (*Identity, error) {
	if !s.config.AllowWorker {
		return nil, invalid("WorkerIdentityNotAllowed",
			"this worker does not let payloads use its own identity",
			"Let the workers' operator add azure to "+setting.WorkerIdentity.String()+
				", or use another method.")
	}
	service, err := serviceURL(st)
	if err != nil {
		return nil, err
	}
	if !isAzure(service) {
		return nil, invalid("WorkerIdentityEndpoint",
			"the worker's own identity is used only at Azure's own servers, over https",
			"Leave endpoint out, or use another method.")
	}

	opts := s.signInOptions(service)
	key := sessionKey{authority: opts.Cloud.ActiveDirectoryAuthorityHost}
	shared, err := s.sessions.Get(key, func() (*session, error) {
		return newSession(func() (azcore.TokenCredential, error) {
			if s.config.Person {
				return personCredential(opts)
			}
			return workerCredential(opts)
		})
	})
	if err != nil {
		return nil, invalid("WorkerIdentityMissing", "the worker has no identity in Azure",
			"Give the workers a workload identity or a managed identity.")
	}
	return &Identity{
		Service:  service,
		account:  st.Account,
		session:  shared,
		assignee: "<the worker's identity>",
	}, nil
}

// workerCredential returns the workload identity that Kubernetes has set
// up; without one, the managed identity of the machine. The managed
// identity is requested from the metadata service, which the egress rules
// refuse. The SDK chooses the address of that service, not a payload, so
// the request goes through the SDK's own HTTP client.
func workerCredential(opts policy.ClientOptions) (azcore.TokenCredential, error) {
	workload, err := azidentity.NewWorkloadIdentityCredential(
		&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: opts})
	if err == nil {
		return workload, nil
	}

	opts.Transport = nil
	managed := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: opts}
	if id := os.Getenv("AZURE_CLIENT_ID"); id != "" {
		managed.ID = azidentity.ClientID(id)
	}
	return azidentity.NewManagedIdentityCredential(managed)
}
