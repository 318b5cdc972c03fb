package identity

import (
	"context"
	"strings"
	"sync"

	"cloud.google.com/go/auth"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// person fetches tokens of the person at the keyboard: Google's
// application default credentials. All buckets share them. The zero
// value is ready for use.
type person struct {
	once   sync.Once
	source workerTokens
	cached auth.TokenProvider // set by once
}

// Token implements auth.TokenProvider.
func (p *person) Token(ctx context.Context) (*auth.Token, error) {
	p.once.Do(func() {
		p.source.scope = storageScope
		p.cached = auth.NewCachedTokenProvider(&p.source, nil)
	})
	return p.cached.Token(ctx)
}

// FindWorker returns an error if the worker has no identity at Google
// that it could use on a storage.
func (s *Source) FindWorker(ctx context.Context, st tasks.Storage) error {
	id, err := s.Identity(st, providers.Secrets{})
	if err != nil {
		return err
	}
	_, err = id.tokens.Token(ctx)
	if err == nil || ctx.Err() != nil {
		return err
	}
	e := &providers.Error{
		Op: "sign in", Kind: providers.Unauthenticated, Code: "NoCredentials",
		Fix: "Sign in with gcloud auth application-default login, or name a key file in " +
			"GOOGLE_APPLICATION_CREDENTIALS. For a public bucket give --anonymous.",
	}
	if _, missing := s.person.source.find(); missing != nil {
		err = missing
	}
	e.Detail = "the credentials of Google cannot be used: " + err.Error()
	for _, nothing := range []string{"could not find default credentials", "/computeMetadata/"} {
		if strings.Contains(err.Error(), nothing) {
			e.Detail = "no credentials found: there is no GOOGLE_APPLICATION_CREDENTIALS, " +
				"no application_default_credentials.json of gcloud, and no service account " +
				"of the machine"
		}
	}
	return e
}
