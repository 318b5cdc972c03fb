// Package client sets up the Azure SDK: how its requests leave the
// worker, which of them are repeated, and which answers are taken as
// those of the blob service.
//
// It knows nothing of credentials, checks and jobs. Package identity uses
// it for the sign-in service too.
package client

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure/azerror"
	"github.com/stevedore-jobs/stevedore/providers/limits"
)

const (
	maxBackoff = 10 * time.Second
	// maxCheckAttempts is small because a user waits for the answer.
	maxCheckAttempts = 2
)

// Options returns the options of a container's client. attempts is how
// often a request is made before it fails.
func Options(c *http.Client, attempts int) *container.ClientOptions {
	return &container.ClientOptions{ClientOptions: policy.ClientOptions{
		Transport: blobTransport{transport{c}},
		Retry:     retries(attempts),
		Telemetry: policy.TelemetryOptions{ApplicationID: "stevedore"},
	}}
}

// WithFewAttempts returns a context in which requests to the blob service
// give up early.
func WithFewAttempts(ctx context.Context) context.Context {
	return policy.WithRetryOptions(ctx, retries(maxCheckAttempts))
}

func retries(attempts int) policy.RetryOptions {
	maxRetries := int32(attempts) - 1
	if attempts <= 1 {
		maxRetries = -1 // none; 0 would mean the SDK's default
	}
	return policy.RetryOptions{
		MaxRetries: maxRetries, MaxRetryDelay: maxBackoff, ShouldRetry: shouldRetry,
	}
}

// shouldRetry reports whether a request may succeed when it is repeated
// at once.
func shouldRetry(resp *http.Response, err error) bool {
	if err != nil {
		e := azerror.Classify(err)
		return !limits.IsForTheJob(e) &&
			(e.Kind == providers.Unavailable || e.Kind == providers.Throttled)
	}
	return slices.Contains([]int{
		http.StatusRequestTimeout,
		http.StatusTooManyRequests,
		http.StatusInternalServerError,
		http.StatusBadGateway,
		http.StatusServiceUnavailable,
		http.StatusGatewayTimeout,
	}, resp.StatusCode)
}
