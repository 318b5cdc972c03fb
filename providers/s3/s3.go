// Package s3 opens buckets of AWS S3 and of servers with the same API.
//
// It knows the bucket's operations. How requests are signed is in package
// identity, how they reach the bucket's region in client, what errors mean in
// s3error, and what verify-connection asks in probe. Clients are made from the
// payload alone.
package s3

import (
	"cmp"
	"context"
	"net/http"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/providers/s3/identity"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/tasks"
)

var _ providers.Opener = (*Opener)(nil)

// Opener opens S3 buckets. It is safe for concurrent use, and must not be
// copied after its first use.
type Opener struct {
	// Client carries every request; make it with egress.Policy.Client. It
	// must not be nil, because the default one would connect anywhere.
	Client *http.Client
	// Attempts is how often a request is made before it fails, waiting longer
	// each time; 0 means 6.
	Attempts int
	// STSEndpoint is where roles are assumed; empty means AWS's, in the
	// storage's region.
	STSEndpoint string
	// WorkerIdentity allows payloads to use the worker's own identity (method
	// worker-identity) on a bucket.
	WorkerIdentity bool

	once       sync.Once
	identities *identity.Source // created by once
}

const defaultAttempts = 6

// Open implements providers.Opener. It makes no request: a storage with
// neither region nor endpoint finds its region at the first operation.
func (o *Opener) Open(
	_ context.Context, s tasks.Storage, secrets providers.Secrets,
) (providers.Bucket, error) {
	id, err := o.source().Identity(s, secrets)
	if err != nil {
		return nil, err
	}
	config := client.Config{HTTP: o.Client, Attempts: o.attempts(), Credentials: id.Credentials}
	return &bucket{
		storage:  s,
		identity: id,
		client:   client.New(s, config),
		errors:   s3error.Wrapper{Storage: s, Redact: id.Redact},
	}, nil
}

func (o *Opener) attempts() int { return cmp.Or(o.Attempts, defaultAttempts) }

// source returns the identities of all the opener's buckets. They share the
// sessions of roles.
func (o *Opener) source() *identity.Source {
	o.once.Do(func() {
		o.identities = identity.NewSource(identity.Config{
			Client:      o.Client,
			Attempts:    o.attempts(),
			STSEndpoint: o.STSEndpoint,
			AllowWorker: o.WorkerIdentity,
		})
	})
	return o.identities
}
