// Package identity decides what authenticates the requests to a bucket: a
// key file of the payload, the worker's own identity, a service account
// that the worker acts as, or nothing.
//
// It knows Google's ways to get a token and no bucket. A payload cannot
// choose where tokens are requested, and it gets the worker's own
// identity only where the operator allows that, and only at Google
// itself.
package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"cloud.google.com/go/auth"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
	"github.com/stevedore-jobs/stevedore/providers/limits"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// Config holds what the operator of a worker decides.
type Config struct {
	Client      *http.Client // carries the requests for tokens
	TokenURL    string       // exchanges key files for tokens; empty means Google's
	AllowWorker bool         // payloads may use the worker's own identity
	Person      bool         // the worker's identity is that of a person at a keyboard
}

// Source makes identities. It is safe for concurrent use, and must not be
// copied.
type Source struct {
	config   Config
	sessions driver.SessionCache[sessionKey, *session]
	person   person
}

// NewSource makes a source. Every request of its client signs in.
func NewSource(c Config) *Source {
	if c.Client != nil {
		c.Client = limits.Client(c.Client, limits.SignIn)
	}
	return &Source{config: c}
}

// Identity authenticates the requests of one bucket. It is safe for
// concurrent use. The zero value is anonymous.
type Identity struct {
	account string             // an email; empty when it is unknown
	tokens  auth.TokenProvider // nil for anonymous
	signIn  providers.SignIn
	sent    atomic.Pointer[string] // the last token, which no error may show
}

// Identity makes the identity of a storage. It makes no request.
func (s *Source) Identity(st tasks.Storage, secrets providers.Secrets) (*Identity, error) {
	id, err := s.identity(st, secrets)
	var e *providers.Error
	if errors.As(err, &e) && e.Op != "resolve" {
		e.Op, e.Bucket = "open", st.Bucket
	}
	return id, err
}

func (s *Source) identity(st tasks.Storage, secrets providers.Secrets) (*Identity, error) {
	switch st.Auth.Method {
	case tasks.AuthAnonymous:
		return &Identity{}, nil
	case tasks.AuthKeyFile:
		return s.fromKeyFile(st.Auth, secrets)
	case tasks.AuthWorkerIdentity, tasks.AuthImpersonation:
		if err := s.checkWorker(st); err != nil {
			return nil, err
		}
		if st.Auth.Method == tasks.AuthImpersonation {
			return s.impersonate(st.Auth.ServiceAccount)
		}
		if s.config.Person {
			return &Identity{tokens: &s.person}, nil
		}
		return newWorkerIdentity(storageScope), nil
	}
	return nil, &providers.Error{
		Kind: providers.Invalid, Code: "AuthNotSupported",
		Detail: fmt.Sprintf("provider gcs has no method %q", st.Auth.Method),
		Fix:    "Use key-file, worker-identity, impersonation or anonymous.",
	}
}

// checkWorker returns an error unless a storage may use the worker's own
// identity. The server at an endpoint of the payload would get the
// worker's token, so an endpoint is refused.
func (s *Source) checkWorker(st tasks.Storage) error {
	switch {
	case !s.config.AllowWorker:
		return &providers.Error{
			Kind: providers.Denied, Code: "WorkerIdentityNotAllowed",
			Detail: "this worker does not let payloads use its own identity",
			Fix: "Use method key-file, or let the workers' operator add gcs to " +
				setting.WorkerIdentity.String() + ".",
		}
	case st.Endpoint != "" && !s.config.Person:
		return &providers.Error{
			Kind: providers.Denied, Code: "WorkerIdentityEndpoint",
			Detail: "the worker's own identity is used only at Google itself",
			Fix:    "Remove storage.endpoint, or use method key-file or anonymous.",
		}
	}
	return nil
}

// Authorize adds a token to a request that has not been sent. It changes
// the request's headers. It does nothing for an anonymous identity.
func (i *Identity) Authorize(r *http.Request) error {
	if i.IsAnonymous() {
		return nil
	}
	token, err := i.tokens.Token(r.Context())
	if err == nil && token.Value == "" {
		err = errNoToken
	}
	if err != nil {
		return &gcserror.TokenError{Err: err}
	}
	i.sent.Store(&token.Value)
	r.Header.Set("Authorization", "Bearer "+token.Value)
	return nil
}

var errNoToken = errors.New("the answer holds no token")

// NewToken fetches a token, which shows whether the credentials are
// valid. It does not use a token that another bucket has fetched with a
// key file. An anonymous identity has no token, so NewToken must not be
// called for it.
func (i *Identity) NewToken(ctx context.Context) error {
	fetch := i.tokens.Token
	if shared, ok := i.tokens.(*session); ok {
		fetch = shared.renew
	}
	if _, err := fetch(ctx); err != nil {
		return &gcserror.TokenError{Err: err}
	}
	return nil
}

// Redact replaces in a text the token that requests were sent with. A
// server could answer with it.
func (i *Identity) Redact(text string) string {
	token := i.sent.Load()
	if token == nil {
		return text
	}
	return providers.RedactValues(text, *token)
}

// IsAnonymous reports whether requests are sent without credentials.
func (i *Identity) IsAnonymous() bool { return i.tokens == nil }

// Account returns the email of the service account. It is empty when that
// is not known without a request.
func (i *Identity) Account() string { return i.account }

// Member returns the account as IAM policies name it. It is empty when
// the account is unknown.
func (i *Identity) Member() string {
	switch {
	case i.IsAnonymous():
		return "allUsers"
	case i.account != "":
		return "serviceAccount:" + i.account
	}
	return ""
}

// SignIn returns the server that creates the tokens. It is the zero value
// for the worker's own tokens, whose source the worker's environment
// decides.
func (i *Identity) SignIn() providers.SignIn { return i.signIn }
