package azure_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func signInOf(b providers.Bucket) providers.SignIn {
	return b.(interface{ SignIn() providers.SignIn }).SignIn()
}

// requestCounter counts the requests to one server and to others. It
// fails all of them.
type requestCounter struct {
	server           string
	requests, others atomic.Int64
}

func (c *requestCounter) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.String(), c.server) {
		c.requests.Add(1)
	} else {
		c.others.Add(1)
	}
	return nil, &egress.BlockedError{Rule: "test"} // the SDK does not repeat a blocked request
}

// SignIn returns the server that the bucket requests its tokens from, in
// each of Microsoft's clouds.
func TestSignIn(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"": "https://login.microsoftonline.com/", "https://blobs.example.com": "https://login.microsoftonline.com/",
		"https://acct.blob.core.chinacloudapi.cn":   "https://login.chinacloudapi.cn/",
		"https://acct.blob.core.usgovcloudapi.net/": "https://login.microsoftonline.us/",
	} {
		secret, secrets := secretFile(t, "CANARY-secret")
		counter := &requestCounter{server: want}
		b, err := (&azure.Opener{Client: &http.Client{Transport: counter}, Attempts: 1}).Open(t.Context(), tasks.Storage{
			Provider: "azure", Bucket: "c", Account: "acct", Endpoint: endpoint,
			Auth: tasks.Auth{Method: tasks.AuthServicePrincipal, TenantID: "tenant", ClientID: "client-1", ClientSecret: secret},
		}, secrets)
		if err != nil {
			t.Fatal(err)
		}
		if got := signInOf(b); got.URL != want || got.Source != "is Microsoft's own" {
			t.Errorf("%s: got %+v", endpoint, got)
		}
		if _, err := b.Stat(t.Context(), "k"); err == nil || counter.requests.Load() == 0 || counter.others.Load() > 0 {
			t.Errorf("%s: %d requests, %d to other servers: %v", endpoint, counter.requests.Load(), counter.others.Load(), err)
		}
	}
}

// SignIn returns no server for methods without tokens, and for the
// worker's own tokens, because Stevedore does not choose it.
func TestSignIn_OtherMethods(t *testing.T) {
	t.Parallel()
	for _, method := range []string{tasks.AuthAnonymous, tasks.AuthAccountKey, tasks.AuthWorkerIdentity} {
		s, secrets := storage(t, method, "", "c", developmentKey)
		b, err := (&azure.Opener{Client: guarded(t), WorkerIdentity: true}).Open(t.Context(), s, secrets)
		if err != nil {
			t.Fatal(err)
		}
		if got := signInOf(b); got != (providers.SignIn{}) {
			t.Errorf("%s: got %+v", method, got)
		}
	}
}
