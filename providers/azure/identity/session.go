package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/azure/client"
)

const tokenScope = "https://storage.azure.com/.default"

// sessionKey holds everything that tokens are requested with. The hash of
// the secret is part of it, so a session serves only those who have the
// secret. The worker's own session has only an authority.
type sessionKey struct {
	authority string
	tenant    string
	client    string
	secret    [sha256.Size]byte
}

// session fetches tokens and caches them until they expire. It is safe
// for concurrent use.
type session struct {
	create func() (azcore.TokenCredential, error) // with an empty cache
	last   atomic.Pointer[string]                 // the last token

	mu         sync.Mutex
	credential azcore.TokenCredential // guarded by mu
}

// newSession makes a session. create must make no request.
func newSession(create func() (azcore.TokenCredential, error)) (*session, error) {
	s := &session{create: create}
	return s, s.reset()
}

// reset drops all cached tokens. It makes no request.
func (s *session) reset() error {
	credential, err := s.create()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.credential = credential
	return nil
}

// GetToken implements azcore.TokenCredential.
func (s *session) GetToken(
	ctx context.Context, opts policy.TokenRequestOptions,
) (azcore.AccessToken, error) {
	s.mu.Lock()
	credential := s.credential
	s.mu.Unlock()

	ctx, failure := client.RecordSignInFailure(ctx)
	token, err := credential.GetToken(ctx, opts)
	var refused *azidentity.AuthenticationFailedError
	switch {
	case err == nil:
		s.last.Store(&token.Token)
	case errors.As(err, &refused) && refused.RawResponse == nil && failure.Err() != nil:
		err = &azerror.SignInUnreachedError{Err: failure.Err()}
	}
	return token, err
}

// lastToken returns the token that requests are sent with; empty before
// the first one.
func (s *session) lastToken() string {
	if token := s.last.Load(); token != nil {
		return *token
	}
	return ""
}

// NewToken signs in anew, which shows whether the credentials are still
// valid: a token that other buckets have used does not. It must be called
// only for credentials of kind azerror.Token.
func (i *Identity) NewToken(ctx context.Context) error {
	if err := i.session.reset(); err != nil {
		return err
	}
	_, err := i.session.GetToken(ctx, policy.TokenRequestOptions{
		Scopes: []string{tokenScope}, EnableCAE: true,
	})
	return err
}
