package identity

import (
	"context"
	"log/slog"
	"sync"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"

	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
)

// newWorkerIdentity makes the worker's own identity, whose tokens are
// valid for a scope.
func newWorkerIdentity(scope string) *Identity {
	return &Identity{tokens: auth.NewCachedTokenProvider(&workerTokens{scope: scope}, nil)}
}

// workerTokens fetches tokens of the worker's own identity: Google's
// application default credentials. It searches for them at the first use,
// because the search may send a request to the metadata server. That
// request goes through Google's own HTTP client, because the egress rules
// refuse the metadata server. No part of a payload is sent there.
type workerTokens struct {
	scope string

	mu    sync.Mutex
	found *auth.Credentials // nil until they are found; guarded by mu
}

// Token implements auth.TokenProvider.
func (w *workerTokens) Token(ctx context.Context) (*auth.Token, error) {
	found, err := w.find()
	if err != nil {
		return nil, gcserror.ErrNoWorkerIdentity
	}
	return found.Token(ctx)
}

// find returns the credentials. A failed search is repeated at the next
// call.
func (w *workerTokens) find() (*auth.Credentials, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.found != nil {
		return w.found, nil
	}
	found, err := credentials.DetectDefault(&credentials.DetectOptions{
		Scopes: []string{w.scope},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		w.found = found
	}
	return found, err
}
