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

// way counts the requests to one server, and to others. It lets none of them
// through.
type way struct {
	server        string
	asked, others atomic.Int64
}

func (w *way) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.String(), w.server) {
		w.asked.Add(1)
	} else {
		w.others.Add(1)
	}
	return nil, &egress.BlockedError{Rule: "test"} // which is not tried again
}

// Where a bucket says that its tokens come from is where it asks for them, in
// every one of Microsoft's clouds.
func TestSignInOfAPrincipal(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"": "https://login.microsoftonline.com/", "https://blobs.example.com": "https://login.microsoftonline.com/",
		"https://acct.blob.core.chinacloudapi.cn":   "https://login.chinacloudapi.cn/",
		"https://acct.blob.core.usgovcloudapi.net/": "https://login.microsoftonline.us/",
	} {
		secret, secrets := secretFile(t, "CANARY-secret")
		w := &way{server: want}
		b, err := (&azure.Opener{Client: &http.Client{Transport: w}, Attempts: 1}).Open(t.Context(), tasks.Storage{
			Provider: "azure", Bucket: "c", Account: "acct", Endpoint: endpoint,
			Auth: tasks.Auth{Method: tasks.AuthServicePrincipal, TenantID: "tenant", ClientID: "client-1", ClientSecret: secret},
		}, secrets)
		if err != nil {
			t.Fatal(err)
		}
		if got := signInOf(b); got.URL != want || got.Source != "is Microsoft's own" {
			t.Errorf("%s: got %+v", endpoint, got)
		}
		if _, err := b.Stat(t.Context(), "k"); err == nil || w.asked.Load() == 0 || w.others.Load() > 0 {
			t.Errorf("%s: asked %d times, others %d times: %v", endpoint, w.asked.Load(), w.others.Load(), err)
		}
	}
}

// Other methods have their credentials already, or leave it to the worker.
func TestSignInOfOthers(t *testing.T) {
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
