package gcs

import (
	"context"
	"net/url"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/gcs/probe"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
)

var (
	_ providers.Located = (*bucket)(nil)
	_ providers.Prober  = (*bucket)(nil)
)

// Endpoint implements providers.Located.
func (b *bucket) Endpoint() string { return b.endpoint }

// SignIn implements providers.Located.
func (b *bucket) SignIn() providers.SignIn { return b.identity.SignIn() }

// CORSTarget implements providers.Located. It returns the bucket's URL on
// the XML API. The JSON API answers preflights without regard to the
// bucket's rules
// (https://cloud.google.com/storage/docs/cross-origin#server-side-support).
func (b *bucket) CORSTarget() string {
	return b.endpoint + "/" + url.PathEscape(b.storage.Bucket)
}

// CORSAdvice implements providers.Located.
func (b *bucket) CORSAdvice(want tasks.CORS) string {
	return policy.GCSCORS(b.storage.Bucket, want)
}

// Probe implements providers.Prober.
func (b *bucket) Probe(ctx context.Context, need tasks.Need) []tasks.Check {
	return probe.Run(ctx, probe.Target{
		Storage:  b.storage,
		Identity: b.identity,
		Client:   b.client,
		Errors:   b.errors,
		Delete:   b.Delete,
	}, need)
}
