package providertest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks/guard"
)

const panicValue = "the transport panicked"

// PanicAt makes a client that panics at the requests for which at
// returns true. The handler answers all other requests, without a
// network.
func PanicAt(at func(*http.Request) bool, handler http.HandlerFunc) *http.Client {
	return Client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at(r) {
			panicInTransport()
		}
		handler(w, r)
	}))
}

//go:noinline
func panicInTransport() { panic(panicValue) } //nolint:forbidigo // what is tested

// RunPanic checks that a panic of the bucket's client, which PanicAt
// makes, becomes a panic of the goroutine that calls Put: there the
// caller can recover it. The size of the body is in bytes.
func RunPanic(t *testing.T, b providers.Bucket, size int64) {
	t.Helper()
	defer func() {
		t.Helper()
		p, ok := recover().(*guard.PanicError)
		if !ok || p.Value != panicValue || !strings.Contains(p.Stack, "panicInTransport") {
			t.Errorf("recovered %+v", p)
		}
	}()
	_, err := b.Put(t.Context(), "k", generated(size), providers.WriteOptions{})
	t.Errorf("Put returned %v instead of panicking", err)
}
