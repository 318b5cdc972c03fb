package s3

import (
	"context"
	"net/url"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/providers/s3/probe"
	"github.com/stevedore-jobs/stevedore/tasks"
)

var (
	_ providers.Located = (*bucket)(nil)
	_ providers.Prober  = (*bucket)(nil)
)

// Endpoint implements providers.Located. The URL may change once the bucket's
// region is known.
func (b *bucket) Endpoint() string {
	at, err := b.client.URL()
	if err != nil {
		return b.storage.Endpoint
	}
	return (&url.URL{Scheme: at.Scheme, Host: at.Host}).String()
}

// SignIn implements providers.Located. It returns the STS where the bucket's
// role is assumed. The payload holds other credentials itself, or the worker
// gets them as its operator decided.
func (b *bucket) SignIn() providers.SignIn {
	if b.identity.Role == nil {
		return providers.SignIn{}
	}
	return b.identity.Role.SignIn()
}

// CORSTarget implements providers.Located.
func (b *bucket) CORSTarget() string {
	at, err := b.client.URL()
	if err != nil {
		return ""
	}
	return at.JoinPath(b.storage.Dir() + "stevedore-cors-check").String()
}

// CORSAdvice implements providers.Located.
func (b *bucket) CORSAdvice(want tasks.CORS) string {
	return policy.S3CORS(b.storage.Bucket, b.storage.Endpoint, want)
}

// Probe implements providers.Prober.
func (b *bucket) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	return probe.Run(ctx, probe.Target{
		Storage:  b.storage,
		Identity: b.identity,
		Client:   b.client,
		Errors:   b.errors,
	}, need)
}
