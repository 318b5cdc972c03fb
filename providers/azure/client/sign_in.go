package client

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/stevedore-jobs/stevedore/providers/limits"
)

// SignInOptions returns the options of a client of the sign-in service.
// It makes few attempts, because the first request to a container waits for
// the sign-in.
func SignInOptions(c *http.Client) policy.ClientOptions {
	return policy.ClientOptions{
		Transport: signInTransport{transport{c}},
		Retry:     retries(maxCheckAttempts),
	}
}

// signInTransport sends requests to the sign-in service. It records why a
// request failed, because the errors of azidentity do not say that.
type signInTransport struct{ transport }

// Do implements policy.Transporter.
func (t signInTransport) Do(r *http.Request) (*http.Response, error) {
	resp, err := t.transport.Do(r.WithContext(limits.For(r.Context(), limits.SignIn)))
	if failure, ok := r.Context().Value(failureKey{}).(*SignInFailure); ok && err != nil {
		failure.last.Store(&err)
	}
	return resp, err
}

type failureKey struct{}

// SignInFailure records why the last request of a sign-in failed.
type SignInFailure struct{ last atomic.Pointer[error] }

// RecordSignInFailure returns a context for one sign-in, and where the
// failures of its requests are recorded.
func RecordSignInFailure(ctx context.Context) (context.Context, *SignInFailure) {
	failure := &SignInFailure{}
	return context.WithValue(ctx, failureKey{}, failure), failure
}

// Err returns why the last request that failed got no answer. It is nil
// if all requests got one.
func (f *SignInFailure) Err() error {
	err := f.last.Load()
	if err == nil {
		return nil
	}
	return *err
}
