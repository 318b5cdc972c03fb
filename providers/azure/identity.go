package azure

import (
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const tokenScope = "https://storage.azure.com/.default"

// servicePrincipal signs in as an application of the customer's. The sign-in
// goes out through the guard too.
func (o *Opener) servicePrincipal(s tasks.Storage, secrets providers.Secrets) (access, error) {
	secret, err := secrets.Resolve(s.Auth.ClientSecret)
	if err != nil {
		return access{}, err
	}
	service, err := serviceURL(s)
	if err != nil {
		return access{}, err
	}
	if !strings.HasPrefix(service, "https://") {
		return access{}, invalid("TokenNeedsTLS", "a sign-in token is never sent over plain http", "Write https:// in the endpoint, or use method sas or account-key.")
	}
	options := &azidentity.ClientSecretCredentialOptions{ClientOptions: signInOptions(service, o.Client)}
	by := proof{options.Cloud.ActiveDirectoryAuthorityHost, s.Auth.TenantID, s.Auth.ClientID, sha256.Sum256([]byte(secret))}
	token, err := o.signIns.Get(by, func() (*signIn, error) {
		return newSignIn(func() (azcore.TokenCredential, error) {
			return azidentity.NewClientSecretCredential(s.Auth.TenantID, s.Auth.ClientID, secret, options)
		})
	})
	if err != nil {
		return access{}, invalid("ServicePrincipalInvalid", "auth.tenant_id, auth.client_id and auth.client_secret do not make a service principal",
			"Check auth.tenant_id: it is the directory's ID or one of its domain names.")
	}
	return access{
		service: service, account: s.Account, token: token, assignee: s.Auth.ClientID, hidden: []string{secret},
		signIn: providers.SignIn{URL: by.authority, Source: "is Microsoft's own"},
	}, nil
}

// workerIdentity uses the identity that the worker's own surroundings give
// it. Whoever can enqueue may not send its tokens anywhere but to Azure
// itself.
func (o *Opener) workerIdentity(s tasks.Storage) (access, error) {
	if !o.WorkerIdentity {
		return access{}, invalid("WorkerIdentityNotAllowed", "this worker does not lend its own identity",
			"Let the workers' operator add azure to "+IdentitySetting+", or use another method.")
	}
	service, err := serviceURL(s)
	if err != nil {
		return access{}, err
	}
	if !isAzure(service) {
		return access{}, invalid("WorkerIdentityEndpoint", "the worker's identity is only for Azure's own servers, over https",
			"Leave endpoint out, or use another method.")
	}
	options := signInOptions(service, o.Client)
	by := proof{authority: options.Cloud.ActiveDirectoryAuthorityHost}
	token, err := o.signIns.Get(by, func() (*signIn, error) {
		return newSignIn(func() (azcore.TokenCredential, error) { return ownCredential(options) })
	})
	if err != nil {
		return access{}, invalid("WorkerIdentityMissing", "the worker has no identity in Azure", "Give the workers a workload identity or a managed identity.")
	}
	return access{service: service, account: s.Account, token: token, assignee: "<the worker's identity>"}, nil
}

// ownCredential is the workload identity where Kubernetes has set one up, and
// else the managed identity of the machine. The latter asks the metadata
// service, which the guard refuses to everybody; its address is the SDK's and
// no payload's, so it goes out without the guard.
func ownCredential(options policy.ClientOptions) (azcore.TokenCredential, error) {
	workload, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: options})
	if err == nil {
		return workload, nil
	}
	options.Transport = nil
	managed := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
	if id := os.Getenv("AZURE_CLIENT_ID"); id != "" {
		managed.ID = azidentity.ClientID(id)
	}
	return azidentity.NewManagedIdentityCredential(managed)
}

func signInOptions(service string, client *http.Client) policy.ClientOptions {
	return policy.ClientOptions{Cloud: authorityFor(service), Transport: signInWire{wire{client}}, Retry: retries(probeAttempts)}
}

var entraCode = regexp.MustCompile(`AADSTS[0-9]+`)

// signInRefused is an error of the sign-in. The codes are those of "Microsoft
// Entra authentication error codes".
func signInRefused(failed *azidentity.AuthenticationFailedError) *providers.Error {
	e := &providers.Error{Kind: providers.Unauthenticated, Code: "SignInFailed"}
	if failed.RawResponse == nil {
		e.Kind, e.Detail = providers.Unavailable, "no token could be fetched"
		e.Fix = "Check that the worker reaches the sign-in service, login.microsoftonline.com."
		return e
	}
	e.Status = failed.RawResponse.StatusCode
	if e.Status >= http.StatusInternalServerError || e.Status == http.StatusTooManyRequests {
		e.Kind = driver.KindOfStatus(e.Status)
	}
	var told struct {
		Description string `json:"error_description"`
		Trace       string `json:"trace_id"`
	}
	if body, err := io.ReadAll(io.LimitReader(failed.RawResponse.Body, maxErrorBody)); err == nil && json.Unmarshal(body, &told) == nil {
		description, _, _ := strings.Cut(told.Description, "Trace ID:")
		e.Detail, e.RequestID = driver.Printable(description), driver.Printable(told.Trace)
		if code := entraCode.FindString(description); code != "" {
			e.Code = code
		}
	}
	e.Fix = signInAdvice(e.Code)
	return e
}

func signInAdvice(code string) string {
	switch code {
	case "AADSTS7000215":
		return "Check auth.client_secret: it must be the secret's value, not its ID."
	case "AADSTS7000222":
		return "The client secret has expired: make a new one (az ad app credential reset) and give it in auth.client_secret."
	case "AADSTS700016":
		return "Check auth.client_id: this directory has no such application; or auth.tenant_id, if it is another directory's."
	case "AADSTS90002", "AADSTS900023", "AADSTS900021":
		return "Check auth.tenant_id: there is no such directory."
	case "AADSTS53003":
		return "A Conditional Access policy refuses the sign-in: ask the directory's administrator."
	}
	return "Check auth.tenant_id, auth.client_id and auth.client_secret."
}
