// Package mem provides buckets in memory, for tests, demonstrations and
// examples. They behave as those of a cloud: a bucket must exist,
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
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
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

// Create makes an empty bucket. A bucket that exists stays as it is. It
// lists in the order of bytes, and says so.
func (o *Opener) Create(name string) {
	o.create(name, &store{order: keyorder.Bytes, tellsOrder: true})
}

// CreateIn makes an empty bucket that lists its keys in the first of
// the given orders. As with many servers, the order must be found out
// by listing (providers.OrderOf).
func (o *Opener) CreateIn(name string, order keyorder.Order) {
	o.create(name, &store{order: order.First()})
}

func (o *Opener) create(name string, empty *store) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buckets[name] == nil {
		empty.objects = map[string]object{}
		o.buckets[name] = empty
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
	b := bucket{opener: o, name: s.Bucket, KnownOrder: &driver.KnownOrder{}}
	if stored := o.find(s.Bucket); stored != nil && stored.tellsOrder {
		b.Learn(stored.order)
	}
	return b, nil
}

func (o *Opener) find(name string) *store {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.buckets[name]
}
