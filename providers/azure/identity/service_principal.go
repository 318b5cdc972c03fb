package identity

import (
	"crypto/sha256"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/azure/client"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// servicePrincipal makes the identity of a customer's application. The
// egress rules also guard its requests to the sign-in service. Identities
// of the same secret share a session.
func (s *Source) servicePrincipal(st tasks.Storage, secrets providers.Secrets) (*Identity, error) {
	secret, err := secrets.Resolve(st.Auth.ClientSecret)
	if err != nil {
		return nil, err
	}
	service, err := serviceURL(st)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(service, "https://") {
		return nil, azerror.TokenNeedsTLS()
	}

	tenant, application := st.Auth.TenantID, st.Auth.ClientID
	opts := &azidentity.ClientSecretCredentialOptions{ClientOptions: s.signInOptions(service)}
	key := sessionKey{
		authority: opts.Cloud.ActiveDirectoryAuthorityHost,
		tenant:    tenant,
		client:    application,
		secret:    sha256.Sum256([]byte(secret)),
	}
	shared, err := s.sessions.Get(key, func() (*session, error) {
		return newSession(func() (azcore.TokenCredential, error) {
			return azidentity.NewClientSecretCredential(tenant, application, secret, opts)
		})
	})
	if err != nil {
		return nil, invalid("ServicePrincipalInvalid",
			"auth.tenant_id, auth.client_id and auth.client_secret "+
				"do not make a service principal",
			"Check auth.tenant_id: it is the directory's ID or one of its domain names.")
	}
	return &Identity{
		Service:  service,
		account:  st.Account,
		session:  shared,
		assignee: application,
		signIn:   providers.SignIn{URL: key.authority, Source: "is Microsoft's own"},
		secrets:  []string{secret},
	}, nil
}

// signInOptions returns how a service's cloud is signed in to.
func (s *Source) signInOptions(service string) policy.ClientOptions {
	opts := client.SignInOptions(s.config.Client)
	opts.Cloud = cloudOf(service)
	return opts
}
