// Package gcs opens buckets of Google Cloud Storage and of servers that
// speak its JSON API.
//
// It knows Google's storage client and nothing of jobs. Its packages
// are:
//
//   - identity: what authenticates the requests
//   - client: how the SDK sends and repeats them
//   - gcserror: what a failure means and what to do about it
//   - probe: the checks of verify-connection
//
// An object's ETag is its generation, a number that changes with every
// write. If-match and if-absent are generation preconditions
// (https://cloud.google.com/storage/docs/request-preconditions).
package gcs

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/providers/gcs/client"
	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
	"github.com/stevedore-jobs/stevedore/providers/gcs/identity"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/tasks"
)

const (
	defaultAttempts = 6
	google          = "https://storage.googleapis.com"
	apiPath         = "/storage/v1"
)

var (
	_ providers.Opener      = (*Opener)(nil)
	_ providers.OwnIdentity = (*Opener)(nil)
)

// Opener opens Google Cloud Storage buckets. It is safe for concurrent
// use, and must not be changed or copied after its first use.
type Opener struct {
	// Client carries every request but those that search for the
	// worker's own identity; make it with egress.Policy.Client. It must
	// not be nil, because the default one would connect anywhere.
	Client *http.Client
	// WorkerIdentity allows payloads to use the worker's application
	// default credentials, and to impersonate with them.
	WorkerIdentity bool
	// Person says that the process is not a worker, but works for the
	// person who started it: errors about its own identity tell the
	// cause, and say how to sign in. The person may use that identity
	// at any endpoint.
	Person bool
	// TokenURL is where key files are exchanged for tokens; empty means
	// Google's. The operator chooses it, never a payload.
	TokenURL string
	// Attempts is how often a request is made before it fails, waiting
	// longer each time; 0 means 6.
	Attempts int

	once       sync.Once
	identities *identity.Source // created by once
}

// Open implements providers.Opener. It makes no request.
func (o *Opener) Open(
	ctx context.Context, s tasks.Storage, secrets providers.Secrets,
) (providers.Bucket, error) {
	base, err := endpointOf(s)
	if err != nil {
		return nil, err
	}
	id, err := o.source().Identity(s, secrets)
	if err != nil {
		return nil, err
	}

	b := &bucket{
		KnownOrder: driver.NewKnownOrder(orderOf(base)),
		storage:    s,
		endpoint:   base,
		identity:   id,
		errors:     gcserror.Wrapper{Storage: s, Member: id.Member(), Redact: id.Redact},
	}
	b.client, err = client.New(ctx, client.Config{
		HTTP:      o.Client,
		Endpoint:  base,
		Attempts:  cmp.Or(o.Attempts, defaultAttempts),
		Authorize: id.Authorize,
		Bucket:    s.Bucket,
		Project:   s.Project,
	})
	if err != nil {
		return nil, b.wrapError("open", "", err)
	}
	return b, nil
}

// FindIdentity implements providers.OwnIdentity.
func (o *Opener) FindIdentity(ctx context.Context, s tasks.Storage) error {
	return o.source().FindWorker(ctx, s)
}

// source returns the identities of all the opener's buckets. They share
// the tokens of key files.
func (o *Opener) source() *identity.Source {
	o.once.Do(func() {
		o.identities = identity.NewSource(identity.Config{
			Client: o.Client, TokenURL: o.TokenURL, AllowWorker: o.WorkerIdentity,
			Person: o.Person,
		})
	})
	return o.identities
}

// orderOf returns the orders in which a server may list keys. Google
// promises the order of bytes.
func orderOf(endpoint string) keyorder.Order {
	if endpoint == google {
		return keyorder.Bytes
	}
	return keyorder.Unknown
}

// endpointOf returns the base URL of the API, without a slash at its
// end.
func endpointOf(s tasks.Storage) (string, error) {
	if s.Endpoint == "" {
		return google, nil
	}
	base := strings.TrimSuffix(strings.TrimRight(s.Endpoint, "/"), apiPath)
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return "", &providers.Error{
			Op: "open", Bucket: s.Bucket, Kind: providers.Invalid, Code: "EndpointPath",
			Detail: "storage.endpoint has a path, which uploads would lose",
			Fix: "Give storage.endpoint as scheme and host alone, for example " +
				google + ".",
		}
	}
	return u.Scheme + "://" + u.Host, nil
}
