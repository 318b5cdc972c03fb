// Package azure opens containers of Azure Blob Storage and of servers
// that speak its protocol. Azure's word for a bucket is container.
//
// It knows the Azure SDK and nothing of jobs. Its packages are:
//
//   - identity: where requests go and what authenticates them
//   - client: how the SDK sends and repeats them
//   - azerror: what a failure means and what to do about it
//   - probe: the checks of verify-connection
package azure

import (
	"cmp"
	"context"
	"net/http"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/azure/client"
	"github.com/stevedore-jobs/stevedore/providers/azure/identity"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const defaultAttempts = 6

var (
	_ providers.Opener      = (*Opener)(nil)
	_ providers.OwnIdentity = (*Opener)(nil)
)

// Opener opens containers. It is safe for concurrent use, and must not
// be changed or copied after its first use.
type Opener struct {
	// Client carries every request; make it with egress.Policy.Client.
	// It must not be nil, because the default one would connect
	// anywhere.
	Client *http.Client
	// WorkerIdentity allows payloads to use the worker's own identity.
	WorkerIdentity bool
	// Person says that the process is not a worker, but works for the
	// person who started it: its own identity is the one that Azure's
	// tools have signed in, and errors about it say how to sign in.
	Person bool
	// Attempts is how often a request is made before it fails, waiting
	// longer each time; 0 means 6.
	Attempts int

	once       sync.Once
	identities *identity.Source // created by once
}

// Open implements providers.Opener. It makes no request.
func (o *Opener) Open(
	_ context.Context, s tasks.Storage, secrets providers.Secrets,
) (providers.Bucket, error) {
	id, err := o.source().Identity(s, secrets)
	if err != nil {
		return nil, err
	}
	container, err := id.NewClient(s.Bucket,
		client.Options(o.Client, cmp.Or(o.Attempts, defaultAttempts)))
	if err != nil {
		return nil, err
	}
	return &bucket{
		// Accounts list by bytes, by UTF-16 units or by directory, and
		// a SAS of a container may not ask which.
		KnownOrder: &driver.KnownOrder{},
		storage:    s,
		identity:   id,
		client:     container,
		errors: azerror.Wrapper{
			Storage: s, Credentials: id.Credentials(), Redact: id.Redact,
		},
	}, nil
}

// FindIdentity implements providers.OwnIdentity.
func (o *Opener) FindIdentity(ctx context.Context, s tasks.Storage) error {
	return o.source().FindWorker(ctx, s)
}

// source returns the identities of all the opener's buckets. They share
// the sessions of the sign-in service.
func (o *Opener) source() *identity.Source {
	o.once.Do(func() {
		o.identities = identity.NewSource(identity.Config{
			Client: o.Client, AllowWorker: o.WorkerIdentity, Person: o.Person,
		})
	})
	return o.identities
}
