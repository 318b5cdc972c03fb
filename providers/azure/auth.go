package azure

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// access is where requests go and how they prove who sends them: with one of
// sas, key and token, or with none of them.
type access struct {
	service  string // the blob service's URL, without a SAS and without a slash at its end
	account  string // may be empty: a domain of the customer's own does not tell
	sas      sasToken
	key      *container.SharedKeyCredential
	token    *signIn
	signIn   providers.SignIn // where tokens come from, unless it is the worker's own affair
	assignee string           // whom a role would be given to
	misfiled string           // what was given in another secret's field, in words; empty when all is in place

	// hidden are the values that no error may show, because a server that was
	// sent them could answer with them.
	hidden []string
}

func (a access) client(name string, opts *container.ClientOptions) (*container.Client, error) {
	at := a.service + "/" + url.PathEscape(name)
	switch {
	case a.token != nil:
		return container.NewClient(at, a.token, opts)
	case a.key != nil:
		return container.NewClientWithSharedKeyCredential(at, a.key, opts)
	case a.sas.raw != "":
		at += "?" + a.sas.raw
	}
	return container.NewClientWithNoCredential(at, opts)
}

func (a access) anonymous() bool { return a.token == nil && a.key == nil && a.sas.raw == "" }

func (o *Opener) accessTo(s tasks.Storage, secrets providers.Secrets) (access, error) {
	switch s.Auth.Method {
	case tasks.AuthAnonymous:
		service, err := serviceURL(s)
		return access{service: service, account: s.Account}, err
	case tasks.AuthSAS:
		return fromSecret(s, secrets, "auth.sas_token", s.Auth.SASToken)
	case tasks.AuthAccountKey:
		return fromSecret(s, secrets, "auth.account_key", s.Auth.AccountKey)
	case tasks.AuthConnectionString:
		return fromSecret(s, secrets, "auth.connection_string", s.Auth.ConnectionString)
	case tasks.AuthServicePrincipal:
		return o.servicePrincipal(s, secrets)
	case tasks.AuthWorkerIdentity:
		return o.workerIdentity(s)
	}
	return access{}, invalid("AuthNotSupported", fmt.Sprintf("provider azure has no method %q", s.Auth.Method),
		"Use sas, account-key, connection-string, service-principal, worker-identity or anonymous.")
}

// fromSecret takes a secret for what it is rather than for what its field is
// called; Probe then says that it lies in the wrong place.
func fromSecret(s tasks.Storage, secrets providers.Secrets, field string, secret tasks.Secret) (a access, err error) {
	text, err := secrets.Resolve(secret)
	if err != nil {
		return access{}, err
	}
	text = trimmed(text)
	kind := kindOfSecret(text)
	switch kind {
	case pastedConnection:
		a, err = fromConnectionString(s, text)
	case pastedSAS, pastedSASURL:
		a, err = fromSAS(s, field, text)
	case pastedKey:
		a, err = fromKey(s, field, text)
	case pastedOther:
		return access{}, invalid("SecretNotUnderstood", field+" holds neither a SAS token nor an account key nor a connection string",
			"Copy it again, whole: a SAS token has sig= in it, an account key ends in ==, a connection string starts with a name and =.")
	}
	wanted := map[string]pasted{"auth.account_key": pastedKey, "auth.connection_string": pastedConnection, "auth.sas_token": pastedSAS}[field]
	if kind != wanted && kind != pastedSASURL {
		a.misfiled = field + " holds " + string(kind)
	}
	a.hidden = append(a.hidden, text)
	return a, err
}

func fromKey(s tasks.Storage, field, key string) (access, error) {
	service, err := serviceURL(s)
	if err != nil {
		return access{}, err
	}
	account := s.Account
	if account == "" {
		account = accountOf(service)
	}
	cred, err := container.NewSharedKeyCredential(account, key)
	if err != nil || account == "" {
		return access{}, invalid("AccountKeyInvalid", field+": not an account key with its account", "Copy the key again from the portal: Access keys; and give account.")
	}
	return access{service: service, account: account, key: cred, hidden: []string{key}}, nil
}

func fromSAS(s tasks.Storage, field, text string) (access, error) {
	service, err := serviceURL(s)
	if err != nil {
		return access{}, err
	}
	if _, query, isURL := strings.Cut(text, "?"); isURL && strings.Contains(text, "://") {
		if err := sameContainer(s, field, service, text); err != nil {
			return access{}, err
		}
		text = query
	}
	token, err := parseSAS(field, text)
	if err != nil {
		return access{}, err
	}
	return access{service: service, account: s.Account, sas: token, hidden: token.secrets()}, nil
}

// sameContainer refuses a SAS URL of another container than the payload
// names.
func sameContainer(s tasks.Storage, field, service, text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return invalid("SASMalformed", field+" is not a URL", "Copy the SAS token alone.")
	}
	at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	rest, ok := strings.CutPrefix(at.String()+"/", service+"/")
	name, _, _ := strings.Cut(rest, "/")
	if ok && (name == "" || name == s.Bucket) {
		return nil
	}
	return invalid("SASURLDiffers", field+" is a URL of "+at.Redacted()+", not of container "+s.Bucket+" at "+service,
		"Give the SAS of this container, or correct account, endpoint and bucket.")
}

func fromConnectionString(s tasks.Storage, text string) (access, error) {
	c, err := parseConnectionString(text)
	if err != nil {
		return access{}, err
	}
	if err := sameAccount("auth.connection_string", c.account, s.Account); err != nil {
		return access{}, err
	}
	given := strings.TrimRight(s.Endpoint, "/")
	if given != "" && c.endpoint != "" && given != c.endpoint {
		return access{}, invalid("EndpointDiffers", "endpoint and auth.connection_string name different servers", "Leave endpoint out: the connection string has one.")
	}
	if c.endpoint != "" {
		s.Endpoint = c.endpoint
	}
	if c.account != "" {
		s.Account = c.account
	}
	if c.sas != "" {
		return fromSAS(s, "auth.connection_string", c.sas)
	}
	return fromKey(s, "auth.connection_string", c.key)
}
