// Package mem provides buckets in memory, for tests, demonstrations
// and examples. They behave as those of a cloud: a bucket must exist,
// writes are whole or not at all, and preconditions are exact.
//
// It knows no files and no networks. Its buckets are gone when the
// process ends.
package mem

import (
	"context"
	"fmt"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Opener holds named buckets. It is safe for concurrent use. Make it
// with New.
type Opener struct {
	mu      sync.RWMutex
	buckets map[string]*store
}

// New makes an opener without any bucket.
func New() *Opener { return &Opener{buckets: map[string]*store{}} }

// Create makes an empty bucket. A bucket that exists stays as it is.
func (o *Opener) Create(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buckets[name] == nil {
		o.buckets[name] = &store{objects: map[string]object{}}
	}
}

// Open implements providers.Opener. A bucket that was not created is
// NotFound at the first operation.
func (o *Opener) Open(
	_ context.Context, s tasks.Storage, _ providers.Secrets,
) (providers.Bucket, error) {
	if s.Auth.Method != "" {
		return nil, &providers.Error{
			Op: "open", Bucket: s.Bucket, Kind: providers.Invalid, Code: "AuthNotUsed",
			Detail: fmt.Sprintf("provider mem has no authentication, got method %q", s.Auth.Method),
		}
	}
	return bucket{opener: o, name: s.Bucket}, nil
}

func (o *Opener) find(name string) *store {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.buckets[name]
}
