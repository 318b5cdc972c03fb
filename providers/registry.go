package providers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Opener connects to the buckets of one provider.
type Opener interface {
	// Open makes a bucket of a valid storage. It resolves secrets but makes
	// no request: a wrong bucket or key shows at the first operation. What
	// the storage asks for and the provider lacks is Invalid.
	Open(ctx context.Context, s tasks.Storage, secrets Secrets) (Bucket, error)
}

// Registry finds a provider by the name that payloads use.
type Registry map[string]Opener

// Open connects to a storage and confines the bucket to the storage's prefix
// (see Within).
func (r Registry) Open(ctx context.Context, s tasks.Storage, secrets Secrets) (Bucket, error) {
	opener, ok := r[s.Provider]
	if !ok {
		return nil, &Error{
			Op: "open", Bucket: s.Bucket, Kind: Invalid, Code: "ProviderNotBuilt",
			Detail: fmt.Sprintf("this worker has no provider %q", s.Provider),
			Fix:    "Use one of " + strings.Join(slices.Sorted(maps.Keys(r)), ", ") + ".",
		}
	}
	b, err := opener.Open(ctx, s, secrets)
	if err != nil {
		return nil, Failed("open", s.Bucket, "", err)
	}
	return Within(b, s), nil
}
