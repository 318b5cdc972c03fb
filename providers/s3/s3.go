// Package s3 opens buckets of AWS S3 and of servers with the same API,
// and makes the operations on them.
//
// The other parts of the provider have packages of their own:
//   - identity decides what requests are signed with
//   - client sends requests to the bucket's region
//   - fastread makes reads with little processor time
//   - s3error classifies errors, and says what to do about them
//   - probe makes the checks of verify-connection
package s3

import (
	"cmp"
	"context"
	"net/http"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/s3/client"
	"github.com/stevedore-jobs/stevedore/providers/s3/identity"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3error"
	"github.com/stevedore-jobs/stevedore/tasks"
)

var (
	_ providers.Opener      = (*Opener)(nil)
	_ providers.OwnIdentity = (*Opener)(nil)
)

// Opener opens S3 buckets. It is safe for concurrent use, and must not
// be copied after its first use.
type Opener struct {
	// Client sends every request. Make it with egress.Policy.Client. It
	// must not be nil, because the default client connects anywhere.
	Client *http.Client
	// Attempts is how often a request is tried before it fails, with
	// longer and longer waits between; 0 means 6.
	Attempts int
	// STSEndpoint is where roles are assumed; empty means AWS's, in the
	// storage's region.
	STSEndpoint string
	// WorkerIdentity allows payloads to use the worker's own identity
	// (method worker-identity) on a bucket.
	WorkerIdentity bool
	// Person says that the process is not a worker, but works for the
	// person who started it: its own identity is that person's, errors
	// about it tell the cause, and say how to sign in.
	Person bool
	// Profile is the person's profile in the files of the AWS tools;
	// empty means AWS_PROFILE, or the default one.
	Profile string

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
	c := client.New(s, config)
	if s.Auth.Method == tasks.AuthAnonymous && c.NeedsCredentials() {
		return nil, anonymousDirectory(s)
	}
	return &bucket{
		KnownOrder: driver.NewKnownOrder(c.KeyOrder()),
		location:   location{storage: s, client: c, identity: id},
		errors:     s3error.Wrapper{Storage: s, Redact: id.Redact},
	}, nil
}

func anonymousDirectory(s tasks.Storage) error {
	return &providers.Error{
		Op: "open", Bucket: s.Bucket, Kind: providers.Invalid, Code: "AnonymousDirectoryBucket",
		Detail: "a directory bucket (S3 Express) is never public, so it needs credentials",
		Fix:    "Use access-key, assume-role or worker-identity.",
	}
}

// FindIdentity implements providers.OwnIdentity.
func (o *Opener) FindIdentity(ctx context.Context, _ tasks.Storage) error {
	return o.source().FindWorker(ctx)
}

func (o *Opener) attempts() int { return cmp.Or(o.Attempts, defaultAttempts) }

// source returns what makes the identities of buckets. There is one for
// all of them, so that they share the sessions of roles.
func (o *Opener) source() *identity.Source {
	o.once.Do(func() {
		o.identities = identity.NewSource(identity.Config{
			Client:      o.Client,
			Attempts:    o.attempts(),
			STSEndpoint: o.STSEndpoint,
			AllowWorker: o.WorkerIdentity,
			Person:      o.Person,
			Profile:     o.Profile,
		})
	})
	return o.identities
}
