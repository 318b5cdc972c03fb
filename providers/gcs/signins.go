package gcs

import (
	"context"
	"crypto/sha256"
	"sync"

	"cloud.google.com/go/auth"
)

// proof is what a key file's tokens are asked for with.
type proof struct {
	email, keyID string
	key          [sha256.Size]byte // only who has the key gets at its tokens
}

// signIn gives tokens, each until it ends.
type signIn struct {
	source auth.TokenProvider // gives a new one each time

	mu  sync.Mutex
	now auth.TokenProvider // guarded by mu
}

func newSignIn(source auth.TokenProvider) *signIn {
	return &signIn{source: source, now: auth.NewCachedTokenProvider(source, nil)}
}

// Token implements auth.TokenProvider.
func (s *signIn) Token(ctx context.Context) (*auth.Token, error) {
	s.mu.Lock()
	now := s.now
	s.mu.Unlock()
	return now.Token(ctx)
}

// again gets a new token, which shows whether the key is still good. If it
// is, the token takes the place of the last one.
func (s *signIn) again(ctx context.Context) (*auth.Token, error) {
	fresh := auth.NewCachedTokenProvider(s.source, nil)
	token, err := fresh.Token(ctx)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.now = fresh
	}
	return token, err
}
