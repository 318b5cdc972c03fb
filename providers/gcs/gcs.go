// Package gcs is buckets of Google Cloud Storage and of servers that speak
// its JSON API.
//
// It knows Google's storage client and nothing of jobs. What a payload may
// choose is narrow on purpose: a key file is parsed here and can send the
// worker nowhere but to Google's token endpoint, and the worker's own
// identity is used only where the operator allows it, and never at an
// endpoint that the payload names.
//
// An object's ETag is its generation, the number that changes with every
// write, and if-match and if-absent are generation preconditions
// (https://cloud.google.com/storage/docs/request-preconditions).
package gcs

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/option"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Setting is the environment variable with which the operator allows the
// worker's own identity, named in errors.
const Setting = "STEVEDORE_WORKER_IDENTITY"

// TokenURLSetting is the one with which the operator chooses where key files
// are exchanged for tokens.
const TokenURLSetting = "STEVEDORE_GCS_TOKEN_URL"

// Opener opens Google Cloud Storage buckets. It may be used by many
// goroutines at once, and must not be copied after its first use.
type Opener struct {
	// Client carries every request but those that find out the worker's own
	// identity; make it with egress.Policy.Client. It must not be nil,
	// because the default one would connect anywhere.
	Client *http.Client
	// WorkerIdentity allows payloads to use the worker's application default
	// credentials, and to impersonate with them.
	WorkerIdentity bool
	// TokenURL is where key files are exchanged for tokens; empty means
	// Google's. It is the operator's, never a payload's.
	TokenURL string
	// Attempts is how often a request is made before it fails, waiting longer
	// each time; 0 means 6.
	Attempts int

	signIns driver.SessionCache[proof, *signIn]
}

const (
	defaultAttempts = 6
	probeAttempts   = 2
	firstBackoff    = 500 * time.Millisecond
	maxBackoff      = 10 * time.Second

	google         = "https://storage.googleapis.com"
	googleTokenURL = "https://oauth2.googleapis.com/token"
	googlesOwn     = "is Google's own"
	apiPath        = "/storage/v1/"
)

// Open implements providers.Opener.
func (o *Opener) Open(ctx context.Context, s tasks.Storage, secrets providers.Secrets) (providers.Bucket, error) {
	base, err := endpointOf(s)
	if err != nil {
		return nil, err
	}
	who, err := o.loginOf(s, secrets)
	if err != nil {
		return nil, err
	}
	b := &bucket{storage: s, base: base, sign: &bearer{who: who, next: transportOf(o.Client)}, attempts: o.Attempts}
	if b.attempts == 0 {
		b.attempts = defaultAttempts
	}
	client := *o.Client
	client.Transport = b.sign
	// The endpoint is always given, or the client would look into
	// STORAGE_EMULATOR_HOST; and without WithoutAuthentication it would look
	// for the worker's own credentials.
	b.client, err = storage.NewClient(ctx, option.WithHTTPClient(&client), option.WithoutAuthentication(),
		option.WithEndpoint(base+apiPath), storage.WithJSONReads(), storage.WithDisabledClientMetrics())
	if err != nil {
		return nil, b.fault("open", "", err)
	}
	b.client.SetRetry(retry(b.attempts)...)
	return b, nil
}

// retry bounds what the client by itself would repeat until the context ends.
// Everything a bucket does can be repeated: the same content under the same
// key, or a condition that holds only once.
func retry(attempts int) []storage.RetryOption {
	return []storage.RetryOption{
		storage.WithMaxAttempts(attempts), storage.WithPolicy(storage.RetryAlways),
		storage.WithBackoff(gax.Backoff{Initial: firstBackoff, Max: maxBackoff, Multiplier: 2}),
	}
}

// endpointOf is the base URL, without a slash at its end.
func endpointOf(s tasks.Storage) (string, error) {
	if s.Endpoint == "" {
		return google, nil
	}
	base := strings.TrimRight(s.Endpoint, "/")
	base = strings.TrimSuffix(base, strings.TrimRight(apiPath, "/"))
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return "", &providers.Error{
			Op: "open", Bucket: s.Bucket, Kind: providers.Invalid, Code: "EndpointPath",
			Detail: "storage.endpoint has a path, which uploads would lose",
			Fix:    "Give storage.endpoint as scheme and host alone, for example " + google + ".",
		}
	}
	return u.Scheme + "://" + u.Host, nil
}

func transportOf(c *http.Client) http.RoundTripper {
	if c.Transport == nil {
		return http.DefaultTransport
	}
	return c.Transport
}
