package azure

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
)

// proof is what a sign-in is made with. The zero value but for the authority
// is the worker's own identity.
type proof struct {
	authority, tenant, client string
	secret                    [sha256.Size]byte // only who has the secret gets at its token
}

func newSignIn(login func() (azcore.TokenCredential, error)) (*signIn, error) {
	made := &signIn{login: login}
	return made, made.again()
}

// signIn gives tokens, and keeps the last one, which a server that was sent
// it could answer with.
type signIn struct {
	login func() (azcore.TokenCredential, error)
	last  atomic.Pointer[string]

	mu  sync.Mutex
	now azcore.TokenCredential // guarded by mu
}

// again forgets all tokens, so that the next one shows whether the proof is
// still good. It makes no request.
func (s *signIn) again() error {
	credential, err := s.login()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = credential
	return nil
}

// GetToken implements azcore.TokenCredential.
func (s *signIn) GetToken(ctx context.Context, opts policy.TokenRequestOptions) (azcore.AccessToken, error) {
	s.mu.Lock()
	credential := s.now
	s.mu.Unlock()
	var trouble atomic.Pointer[error]
	token, err := credential.GetToken(context.WithValue(ctx, troubleKey{}, &trouble), opts)
	var refused *azidentity.AuthenticationFailedError
	switch {
	case err == nil:
		s.last.Store(&token.Token)
	case errors.As(err, &refused) && refused.RawResponse == nil && trouble.Load() != nil:
		err = &signInUnreachedError{*trouble.Load()}
	}
	return token, err
}

// troubleKey finds where to tell, in a request's context, how the request
// failed.
type troubleKey struct{}

// signInWire is the way to the sign-in service. It tells how it failed, which
// the errors of azidentity do not.
type signInWire struct{ wire }

// Do implements policy.Transporter.
func (w signInWire) Do(r *http.Request) (*http.Response, error) {
	resp, err := w.wire.Do(r)
	if trouble, ok := r.Context().Value(troubleKey{}).(*atomic.Pointer[error]); ok && err != nil {
		trouble.Store(&err)
	}
	return resp, err
}

// signInUnreachedError is a sign-in that nobody answered.
type signInUnreachedError struct{ err error }

// Error implements error.
func (e *signInUnreachedError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *signInUnreachedError) Unwrap() error { return e.err }

// NonRetriable keeps the SDK from repeating the blob request: the sign-in
// itself was repeated.
func (e *signInUnreachedError) NonRetriable() {}

// fault is what that means to a bucket.
func (e *signInUnreachedError) fault() *providers.Error {
	f := driver.Unreached(e.err)
	f.Code = "SignInFailed"
	if f.Fix == "" {
		f.Fix = "Check that the worker reaches the sign-in service, login.microsoftonline.com."
	}
	return f
}
