package azure_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
)

// askingServer refuses every token, and asks for one for another
// resource. It records for what tokens are requested.
type askingServer struct {
	fakeAzure
	challenge string

	mu     sync.Mutex
	scopes map[string]int
}

// RoundTrip implements http.RoundTripper.
func (a *askingServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/token") {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		a.mu.Lock()
		a.scopes[form.Get("scope")]++
		a.mu.Unlock()
	}
	resp, err := a.fakeAzure.RoundTrip(r)
	if err == nil && !strings.Contains(r.URL.Host, "microsoft") {
		resp.StatusCode, resp.Status = http.StatusUnauthorized, "401"
		resp.Header.Set("WWW-Authenticate", a.challenge)
		resp.Header.Set("X-Ms-Error-Code", "InvalidAuthenticationInfo")
	}
	return resp, err
}

// A server that a payload names cannot choose what a token is for: it
// would get a token that is valid elsewhere. It cannot bring down the
// SDK either.
func TestServersChooseNoResource(t *testing.T) {
	t.Parallel()
	for _, challenge := range []string{
		`Bearer authorization_uri="https://login.microsoftonline.com/tenant/oauth2/authorize" resource_id="https://management.azure.com"`,
		`Bearer authorization_uri="https://x" resource_id="https://storage.azure.com"`,
		`Bearer authorization_uri="https://x" resource_id="https://management.azure.com" error="insufficient_claims"`,
		`Bearer error="insufficient_claims", claims="eyJhIjoiYiJ9", authorization_uri="https://x" resource_id="https://management.azure.com"`,
		`Bearer realm="", error="insufficient_claims", claims="!"`,
	} {
		a := &askingServer{challenge: challenge, scopes: map[string]int{}}
		b, err := openPrincipalAt(t, a, "https://blobs.example.com")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Stat(t.Context(), "k"); providers.KindOf(err) != providers.Unauthenticated {
			t.Errorf("%s: %v", challenge, err)
		}
		for scope := range a.scopes {
			if !strings.HasPrefix(scope, "https://storage.azure.com/.default") || strings.Contains(scope, "management") {
				t.Errorf("%s: a token for %s was requested", challenge, scope)
			}
		}
		if len(a.scopes) == 0 {
			t.Error("no token was requested")
		}
	}
}
