// Package identity decides where the requests to a container go, and what
// authenticates them: a secret of the payload (a SAS token, an account
// key, a connection string), a service principal, the worker's own
// identity, or nothing.
//
// It knows Azure's sign-in service and no container. A payload gets the
// worker's own identity only where the operator allows that, and only at
// Azure's own servers. A SAS token is a part of the URL of every request,
// so no URL of a request gets into an error.
package identity

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Config holds what the operator of a worker decides.
type Config struct {
	Client      *http.Client // carries the requests for tokens
	AllowWorker bool         // payloads may use the worker's own identity
	Person      bool         // the worker's identity is that of a person at a keyboard
}

// Source makes identities. It is safe for concurrent use, and must not be
// copied.
type Source struct {
	config   Config
	sessions driver.SessionCache[sessionKey, *session]
}

// NewSource makes a source.
func NewSource(c Config) *Source { return &Source{config: c} }

// Identity holds where the requests of one container go and what
// authenticates them: a SAS, a key, a session, or none of them. It is
// safe for concurrent use.
type Identity struct {
	// Service is the URL of the blob service, without a SAS and without a
	// slash at its end.
	Service string
	// SAS is the zero value unless requests are authenticated with one.
	SAS SASToken
	// Misplaced says which secret was given in the field of another one.
	// It is empty when all is in its place.
	Misplaced string

	account  string // may be empty: a customer's own domain does not name it
	key      *container.SharedKeyCredential
	session  *session
	signIn   providers.SignIn
	assignee string // of a role assignment

	// secrets are the values that no error may show. A server could
	// answer with those that it was sent.
	secrets []string
}

// Identity makes the identity of a storage. It makes no request.
func (s *Source) Identity(st tasks.Storage, secrets providers.Secrets) (*Identity, error) {
	id, err := s.identity(st, secrets)
	if err != nil {
		return nil, asOpenError(st.Bucket, err)
	}
	return id, nil
}

func (s *Source) identity(st tasks.Storage, secrets providers.Secrets) (*Identity, error) {
	switch st.Auth.Method {
	case tasks.AuthAnonymous:
		service, err := serviceURL(st)
		return &Identity{Service: service, account: st.Account}, err
	case tasks.AuthSAS:
		return fromSecret(st, secrets, sasField, st.Auth.SASToken)
	case tasks.AuthAccountKey:
		return fromSecret(st, secrets, keyField, st.Auth.AccountKey)
	case tasks.AuthConnectionString:
		return fromSecret(st, secrets, connectionField, st.Auth.ConnectionString)
	case tasks.AuthServicePrincipal:
		return s.servicePrincipal(st, secrets)
	case tasks.AuthWorkerIdentity:
		return s.workerIdentity(st)
	}
	return nil, invalid("AuthNotSupported",
		fmt.Sprintf("provider azure has no method %q", st.Auth.Method),
		"Use sas, account-key, connection-string, service-principal, "+
			"worker-identity or anonymous.")
}

// invalid makes the error of a payload. asOpenError adds operation and
// bucket.
func invalid(code, detail, fix string) error {
	return &providers.Error{Kind: providers.Invalid, Code: code, Detail: detail, Fix: fix}
}

// asOpenError adds operation and bucket to an error that has none. Errors
// of resolving a secret stay as they are.
func asOpenError(bucket string, err error) error {
	var e *providers.Error
	if errors.As(err, &e) && e.Op != "resolve" && e.Bucket == "" {
		named := *e
		named.Op, named.Bucket = "open", bucket
		return &named
	}
	return providers.Failed("open", bucket, "", err)
}

// NewClient makes the SDK's client of a container. It makes no request.
func (i *Identity) NewClient(
	name string, opts *container.ClientOptions,
) (*container.Client, error) {
	c, err := i.newClient(name, opts)
	if err != nil { // its text may hold the whole URL
		return nil, asOpenError(name, invalid("BadEndpoint",
			"the container's URL cannot be used",
			"Check the storage's endpoint, account and bucket."))
	}
	return c, nil
}

func (i *Identity) newClient(
	name string, opts *container.ClientOptions,
) (*container.Client, error) {
	at := i.Service + "/" + url.PathEscape(name)
	switch i.Kind() {
	case azerror.Token:
		return container.NewClient(at, i.session, opts)
	case azerror.AccountKey:
		return container.NewClientWithSharedKeyCredential(at, i.key, opts)
	case azerror.SAS:
		at += "?" + i.SAS.raw
	}
	return container.NewClientWithNoCredential(at, opts)
}

// Kind returns what requests are authenticated with.
func (i *Identity) Kind() azerror.CredentialKind {
	switch {
	case i.session != nil:
		return azerror.Token
	case i.key != nil:
		return azerror.AccountKey
	case i.SAS.raw != "":
		return azerror.SAS
	}
	return azerror.Anonymous
}

// Credentials returns what advice says about the credentials.
func (i *Identity) Credentials() azerror.Credentials {
	return azerror.Credentials{
		Kind:      i.Kind(),
		Account:   i.Account(),
		Assignee:  i.assignee,
		Policy:    i.SAS.Policy(),
		Delegated: i.SAS.Get("skoid") != "",
	}
}

// Account returns the account's name for a command, or a placeholder.
func (i *Identity) Account() string { return cmp.Or(i.account, "<account>") }

// SignIn returns the server that creates the tokens. It is the zero value
// for other credentials, and for the worker's own tokens, whose source
// the worker's environment decides.
func (i *Identity) SignIn() providers.SignIn { return i.signIn }
