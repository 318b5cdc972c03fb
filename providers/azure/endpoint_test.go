package azure_test

import (
	"errors"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// The URL that requests go to, and the faults that are found before the
// first request.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ account, endpoint, want, code string }{
		{"acct", "", "https://acct.blob.core.windows.net", ""},
		{"acct", "https://acct.blob.core.windows.net/", "https://acct.blob.core.windows.net", ""},
		{"acct", "https://acct-secondary.blob.core.windows.net", "https://acct-secondary.blob.core.windows.net", ""},
		{"acct", "https://acct.z1.blob.storage.azure.net", "https://acct.z1.blob.storage.azure.net", ""},
		{"acct", "https://blobs.example.com", "https://blobs.example.com", ""},
		{"acct", "http://127.0.0.1:10000/acct", "http://127.0.0.1:10000/acct", ""},
		{"acct", "http://localhost:10000/acct", "http://localhost:10000/acct", ""},
		{"acct", "https://other.blob.core.windows.net", "", "AccountDiffers"},
		{"acct", "http://127.0.0.1:10000/other", "", "AccountDiffers"},
		{"acct", "https://acct.blob.core.windows.net/photos", "", "EndpointHoldsContainer"},
		{"acct", "https://acct.dfs.core.windows.net", "", "NotBlobEndpoint"},
		{"acct", "https://acct.file.core.windows.net", "", "NotBlobEndpoint"},
		{"acct.blob.core.windows.net", "", "", "AccountInvalid"},
		{"evil.example/?x", "", "", "AccountInvalid"},
		{"Acct", "", "", "AccountInvalid"},
	} {
		s := tasks.Storage{Provider: "azure", Bucket: "photos", Account: c.account, Endpoint: c.endpoint, Auth: tasks.Auth{Method: tasks.AuthAnonymous}}
		b, err := (&azure.Opener{Client: guarded(t)}).Open(t.Context(), s, providers.Secrets{})
		var e *providers.Error
		switch {
		case c.code != "" && (!errors.As(err, &e) || e.Code != c.code || e.Kind != providers.Invalid || e.Fix == ""):
			t.Errorf("%s at %s: got %v, want %s", c.account, c.endpoint, err, c.code)
		case c.code == "" && err != nil:
			t.Errorf("%s at %s: %v", c.account, c.endpoint, err)
		case c.code == "" && b.(interface{ Endpoint() string }).Endpoint() != c.want:
			t.Errorf("%s at %s: got %s", c.account, c.endpoint, b.(interface{ Endpoint() string }).Endpoint())
		}
	}
}
