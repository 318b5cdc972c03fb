package azure_test

import (
	"errors"
	"strings"
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
		{"acct", "http://127.0.0.1:10000/acct/photos", "", "EndpointHoldsContainer"},
		{"acct", "https://blobs.example.com/photos/", "", "EndpointHoldsContainer"},
		{"photos", "http://127.0.0.1:10000/photos", "http://127.0.0.1:10000/photos", ""},
		{"photos", "http://azurite:10000/photos", "http://azurite:10000/photos", ""},
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

// Storage Explorer copies connection strings with the container in the
// endpoint. The CORS advice names the account of a connection string.
func TestConnectionStringWithContainer(t *testing.T) {
	t.Parallel()
	sas := ";SharedAccessSignature=" + unverified().SAS()
	key := ";AccountKey=" + developmentKey
	for _, c := range []struct{ secret, want, account, code string }{
		{"BlobEndpoint=http://127.0.0.1:10000/acct/photos" + sas, "http://127.0.0.1:10000/acct", "acct", ""},
		{"BlobEndpoint=http://127.0.0.1:10000/acct/photos/" + sas, "http://127.0.0.1:10000/acct", "acct", ""},
		{"BlobEndpoint=http://127.0.0.1:10000/acct" + sas, "http://127.0.0.1:10000/acct", "acct", ""},
		{"BlobEndpoint=https://acct.blob.core.windows.net/photos" + sas, "https://acct.blob.core.windows.net", "acct", ""},
		{"BlobEndpoint=https://blobs.example.com/photos" + sas, "https://blobs.example.com", "'<account>'", ""},
		{"BlobEndpoint=http://azurite:10000/acct/photos;AccountName=acct" + key, "http://azurite:10000/acct", "acct", ""},
		{"BlobEndpoint=http://azurite:10000/photos;AccountName=photos" + key, "http://azurite:10000/photos", "photos", ""},
		{"AccountName=acct;EndpointSuffix=core.windows.net" + key, "https://acct.blob.core.windows.net", "acct", ""},
		{"BlobEndpoint=https://acct.blob.core.windows.net/other" + sas, "", "", "ContainerDiffers"},
		{"BlobEndpoint=http://127.0.0.1:10000/acct/other" + sas, "", "", "ContainerDiffers"},
	} {
		secret, secrets := secretFile(t, c.secret)
		s := tasks.Storage{Provider: "azure", Bucket: "photos", Auth: tasks.Auth{Method: tasks.AuthConnectionString, ConnectionString: secret}}
		b, err := (&azure.Opener{Client: guarded(t)}).Open(t.Context(), s, secrets)
		var e *providers.Error
		if c.code != "" {
			if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Detail, "container other") {
				t.Errorf("%s: got %v", c.secret, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.secret, err)
			continue
		}
		at := b.(providers.Located)
		if at.Endpoint() != c.want {
			t.Errorf("%s: the endpoint is %s", c.secret, at.Endpoint())
		}
		if advice := at.CORSAdvice(tasks.CORS{Origin: "https://app.example"}); !strings.Contains(advice, "--account-name "+c.account+" ") {
			t.Errorf("%s: %s", c.secret, advice)
		}
	}
}
