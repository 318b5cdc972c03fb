// Package azure is containers of Azure Blob Storage and of servers that speak
// its protocol.
//
// It knows the Azure SDK and nothing of jobs. Clients are built from the
// payload alone, so a storage without credentials cannot borrow the worker's
// own; the worker's identity is used only when a payload asks for it and the
// operator allows it. A SAS token is part of every URL that a request with it
// goes to, so no URL of a request ever gets into an error.
package azure

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/driver"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Opener opens containers. It may be used by many goroutines at once, and
// must not be copied after its first use.
type Opener struct {
	// Client carries every request; make it with egress.Policy.Client. It
	// must not be nil, because the default one would connect anywhere.
	Client *http.Client
	// WorkerIdentity says that the operator lets payloads use the identity of
	// the worker itself.
	WorkerIdentity bool
	// Attempts is how often a request is made before it fails, waiting longer
	// each time; 0 means 6.
	Attempts int

	signIns driver.SessionCache[proof, *signIn]
}

// IdentitySetting is the environment variable with which the operator allows
// the worker's identity, named in errors.
const IdentitySetting = "STEVEDORE_WORKER_IDENTITY"

const (
	defaultAttempts = 6
	probeAttempts   = 2
	maxBackoff      = 10 * time.Second
)

// Open implements providers.Opener.
func (o *Opener) Open(_ context.Context, s tasks.Storage, secrets providers.Secrets) (providers.Bucket, error) {
	a, err := o.accessTo(s, secrets)
	if err != nil {
		return nil, ofBucket(s.Bucket, err)
	}
	attempts := o.Attempts
	if attempts == 0 {
		attempts = defaultAttempts
	}
	client, err := a.client(s.Bucket, &container.ClientOptions{ClientOptions: policy.ClientOptions{
		Transport: blobWire{wire{o.Client}}, Retry: retries(attempts), Telemetry: policy.TelemetryOptions{ApplicationID: "stevedore"},
	}})
	if err != nil { // the SDK's own words may hold the whole URL
		return nil, ofBucket(s.Bucket, invalid("BadEndpoint", "the container's URL cannot be used", "Check the storage's endpoint, account and bucket."))
	}
	return &bucket{storage: s, access: a, container: client}, nil
}

func retries(attempts int) policy.RetryOptions {
	if attempts <= 1 {
		attempts = 0 // to the SDK, a number below zero means none and zero means three
	}
	return policy.RetryOptions{MaxRetries: int32(attempts) - 1, MaxRetryDelay: maxBackoff, ShouldRetry: worthRetrying}
}

// worthRetrying tells accidents from what will be the same the next time.
func worthRetrying(resp *http.Response, err error) bool {
	if err != nil {
		kind := classify(err).Kind
		return kind == providers.Unavailable || kind == providers.Throttled
	}
	return slices.Contains([]int{
		http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}, resp.StatusCode)
}

// few makes the requests of a context give up early: somebody waits for the
// diagnosis.
func few(ctx context.Context) context.Context {
	return policy.WithRetryOptions(ctx, retries(probeAttempts))
}

// ofBucket names the bucket in an error that was made without knowing it.
func ofBucket(bucket string, err error) error {
	var e *providers.Error
	if errors.As(err, &e) && e.Op == "open" && e.Bucket == "" {
		named := *e
		named.Bucket = bucket
		return &named
	}
	return providers.Failed("open", bucket, "", err)
}

func invalid(code, detail, fix string) error {
	return &providers.Error{Op: "open", Kind: providers.Invalid, Code: code, Detail: detail, Fix: fix}
}

// answerOf finds what the server answered.
func answerOf(err error) (*azcore.ResponseError, bool) {
	var answer *azcore.ResponseError
	return answer, errors.As(err, &answer) && answer.RawResponse != nil
}
