package identity

import (
	"context"
	"crypto/sha256"
	"sync"

	"cloud.google.com/go/auth"
)

// sessionKey holds everything that tokens are requested with. The hash of
// the private key is part of it, so a session serves only those who have
// the key.
type sessionKey struct {
	account string
	keyID   string
	key     [sha256.Size]byte
}

// session fetches tokens with a key file and caches each until it
// expires. It is safe for concurrent use.
type session struct {
	source auth.TokenProvider // fetches a new token each time

	mu     sync.Mutex
	cached auth.TokenProvider // guarded by mu
}

func newSession(source auth.TokenProvider) *session {
	return &session{source: source, cached: auth.NewCachedTokenProvider(source, nil)}
}

// Token implements auth.TokenProvider.
func (s *session) Token(ctx context.Context) (*auth.Token, error) {
	s.mu.Lock()
	cached := s.cached
	s.mu.Unlock()
	return cached.Token(ctx)
}

// renew fetches a new token, which shows whether the key is still valid.
// A new token replaces the cached one; after a failure the cached one
// stays.
func (s *session) renew(ctx context.Context) (*auth.Token, error) {
	fresh := auth.NewCachedTokenProvider(s.source, nil)
	token, err := fresh.Token(ctx)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cached = fresh
	}
	return token, err
}
