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
	// Open makes the bucket of a valid storage. It resolves secrets
	// but makes no request: a wrong bucket or key shows at the first
	// operation. If the provider lacks what the storage asks for, the
	// error is Invalid.
	Open(ctx context.Context, s tasks.Storage, secrets Secrets) (Bucket, error)
}

// Registry holds the opener of each provider under the name that
// payloads use.
type Registry map[string]Opener

// Open connects to a storage. It opens sealed secrets only for that
// storage. The bucket is bare: the wrappers that jobs rely on, such as
// WithPrefix, are added by the caller (see package network).
func (r Registry) Open(ctx context.Context, s tasks.Storage, secrets Secrets) (Bucket, error) {
	opener, ok := r[s.Provider]
	if !ok {
		return nil, &Error{
			Op: "open", Bucket: s.Bucket, Kind: Invalid, Code: "ProviderNotBuilt",
			Detail: fmt.Sprintf("this worker has no provider %q", s.Provider),
			Fix:    "Use one of " + strings.Join(slices.Sorted(maps.Keys(r)), ", ") + ".",
		}
	}
	b, err := opener.Open(ctx, s, secrets.At(s))
	return b, Failed("open", s.Bucket, "", err)
}
