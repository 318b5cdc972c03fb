package azure

import (
	"context"
	"net/url"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure/probe"
	"github.com/stevedore-jobs/stevedore/providers/policy"
	"github.com/stevedore-jobs/stevedore/tasks"
)

var (
	_ providers.Located = (*bucket)(nil)
	_ providers.Prober  = (*bucket)(nil)
)

// Endpoint implements providers.Located.
func (b *bucket) Endpoint() string { return b.identity.Service }

// SignIn implements providers.Located.
func (b *bucket) SignIn() providers.SignIn { return b.identity.SignIn() }

// CORSTarget implements providers.Located. It returns the URL of a blob
// that need not exist: the service answers a preflight without regard to
// the blob and to credentials ("Preflight Blob Request"). The URL holds
// no SAS.
func (b *bucket) CORSTarget() string {
	return b.Endpoint() + "/" + url.PathEscape(b.storage.Bucket) + "/stevedore-preflight"
}

// CORSAdvice implements providers.Located.
func (b *bucket) CORSAdvice(want tasks.CORS) string {
	return policy.AzureCORS(b.identity.Account(), want)
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
