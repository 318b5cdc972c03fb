// Package client sets up Google's storage client for one bucket: how
// requests are authenticated, how often they are repeated, how much of an
// answer is read, and who pays for them.
//
// It knows nothing of keys, checks and jobs.
package client

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/option"

	"github.com/stevedore-jobs/stevedore/providers/gcs/gcserror"
)

const (
	apiPath      = "/storage/v1/"
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 10 * time.Second
)

// Config describes a client.
type Config struct {
	HTTP     *http.Client // carries every request
	Endpoint string       // the base URL of the API, without a slash at its end
	Attempts int          // how often a request is made before it fails
	// Authorize adds credentials to a request. It changes only the
	// headers.
	Authorize func(*http.Request) error

	Bucket  string
	Project string // pays for requests where the bucket wants that; may be empty
}

// Client makes the requests to one bucket. It is safe for concurrent use.
type Client struct {
	config Config
	sdk    *storage.Client
	pays   atomic.Bool // requests name the project
}

// New makes a client. It makes no request.
func New(ctx context.Context, c Config) (*Client, error) {
	authorized := *c.HTTP
	authorized.Transport = &transport{authorize: c.Authorize, next: transportOf(c.HTTP)}
	// Without an endpoint, the SDK would use that of the environment
	// variable STORAGE_EMULATOR_HOST. Without WithoutAuthentication, it
	// would search for the worker's own credentials.
	sdk, err := storage.NewClient(ctx,
		option.WithHTTPClient(&authorized),
		option.WithoutAuthentication(),
		option.WithEndpoint(c.Endpoint+apiPath),
		storage.WithJSONReads(),
		storage.WithDisabledClientMetrics(),
	)
	if err != nil {
		return nil, err
	}
	// By itself the SDK repeats a request until the context ends. All
	// requests can be repeated: they store the same content under the
	// same key, or have a condition that holds only once.
	sdk.SetRetry(
		storage.WithMaxAttempts(c.Attempts),
		storage.WithPolicy(storage.RetryAlways),
		storage.WithBackoff(gax.Backoff{Initial: firstBackoff, Max: maxBackoff, Multiplier: 2}),
	)
	return &Client{config: c, sdk: sdk}, nil
}

func transportOf(c *http.Client) http.RoundTripper {
	if c.Transport == nil {
		return http.DefaultTransport
	}
	return c.Transport
}

// Bucket returns the SDK's bucket. Its requests name the project if the
// bucket is known to want that.
func (c *Client) Bucket() *storage.BucketHandle {
	b := c.sdk.Bucket(c.config.Bucket)
	if c.pays.Load() {
		b = b.UserProject(c.config.Project)
	}
	return b
}

// Call makes a request. If that fails because the bucket wants the
// requester to pay, Call makes it once more, with the project. So do may
// be called twice and must not read a body.
//
// The first request does not name the project: that would need the right
// to bill it, even at a bucket whose owner pays.
func (c *Client) Call(do func(*storage.BucketHandle) error) error {
	paid := c.Pays()
	err := do(c.Bucket())
	if !paid && c.PayAfter(err) {
		return do(c.Bucket())
	}
	return err
}

// Attempts returns how often a request is made before it fails.
func (c *Client) Attempts() int { return c.config.Attempts }

// Pays reports whether requests name the project.
func (c *Client) Pays() bool { return c.pays.Load() }

// PayAfter reports whether a request failed only because the bucket wants
// the requester to pay, and there is a project for that. From then on all
// requests name the project.
func (c *Client) PayAfter(err error) bool {
	if err == nil || c.config.Project == "" {
		return false
	}
	if gcserror.Classify(err).Code != gcserror.CodeUserProjectMissing {
		return false
	}
	c.pays.Store(true)
	return true
}
