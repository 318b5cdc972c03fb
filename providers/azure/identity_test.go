package azure_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// fakeAzure answers for the sign-in service and for one account. No
// request leaves the process.
type fakeAzure struct {
	refuse string // the error of every sign-in; empty means success
	denies bool   // the account accepts the token, but allows nothing
	tokens atomic.Int64
}

func (n *fakeAzure) RoundTrip(r *http.Request) (*http.Response, error) {
	header := http.Header{"Content-Type": {"application/json"}, "X-Ms-Request-Id": {requestID}}
	status, body := http.StatusOK, ""
	switch {
	case strings.HasSuffix(r.URL.Path, "/token") && n.refuse != "":
		status, body = http.StatusUnauthorized, fmt.Sprintf(`{"error":"invalid_client","error_description":"%s Trace ID: 1 Correlation ID: 2","trace_id":"trace-1"}`, n.refuse)
	case strings.HasSuffix(r.URL.Path, "/token"):
		n.tokens.Add(1)
		body = `{"token_type":"Bearer","expires_in":3600,"access_token":"CANARY-token"}`
	case strings.Contains(r.URL.Host, "microsoft"):
		const authority = "https://login.microsoftonline.com/tenant/oauth2/v2.0"
		body = `{"tenant_discovery_endpoint":"` + authority + `/.well-known","metadata":[{"preferred_network":"login.microsoftonline.com","preferred_cache":"login.microsoftonline.com","aliases":["login.microsoftonline.com"]}],"token_endpoint":"` + authority + `/token","authorization_endpoint":"` + authority + `/authorize","issuer":"` + authority + `"}`
	case r.Header.Get("Authorization") != "Bearer CANARY-token":
		return nil, errors.New("a request to " + r.URL.Host + " without the token")
	case n.denies:
		status = http.StatusForbidden
		header.Set("X-Ms-Error-Code", "AuthorizationPermissionMismatch")
	case r.URL.Query().Get("comp") == "list":
		body = `<EnumerationResults ContainerName="c"><Blobs></Blobs></EnumerationResults>`
	default:
		status = http.StatusNotFound
		header.Set("X-Ms-Error-Code", "BlobNotFound")
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

func openPrincipal(t testing.TB, n *fakeAzure, endpoint string) (providers.Bucket, error) {
	t.Helper()
	return openPrincipalAt(t, n, endpoint)
}

func openPrincipalAt(t testing.TB, n http.RoundTripper, endpoint string) (providers.Bucket, error) {
	t.Helper()
	secret, secrets := secretFile(t, "CANARY-secret")
	s := tasks.Storage{Provider: "azure", Bucket: "c", Account: "acct", Endpoint: endpoint, Auth: tasks.Auth{
		Method: tasks.AuthServicePrincipal, TenantID: "tenant", ClientID: "client-1", ClientSecret: secret,
	}}
	return (&azure.Opener{Client: &http.Client{Transport: n}, Attempts: 1}).Open(t.Context(), s, secrets)
}

func TestServicePrincipal(t *testing.T) {
	t.Parallel()
	n := &fakeAzure{}
	b, err := openPrincipal(t, n, "")
	if err != nil {
		t.Fatal(err)
	}
	wantChecks(t, b, tasks.Need{Read: true}, "credentials ok, list ok, read ok")
	if n.tokens.Load() == 0 {
		t.Error("no token was fetched")
	}
	for _, c := range []struct{ refuse, check, code, fix string }{
		{"AADSTS7000215: Invalid client secret provided.", "credentials", "AADSTS7000215", "auth.client_secret"},
		{"AADSTS7000222: The provided client secret keys for app are expired.", "credentials", "AADSTS7000222", "az ad app credential reset"},
		{"AADSTS700016: Application with identifier was not found in the directory.", "credentials", "AADSTS700016", "auth.client_id"},
		{"AADSTS90002: Tenant not found.", "credentials", "AADSTS90002", "auth.tenant_id"},
		{"AADSTS53003: Access has been blocked by Conditional Access policies.", "credentials", "AADSTS53003", "Conditional Access"},
		{"", "list", "AuthorizationPermissionMismatch", `az role assignment create --assignee client-1 --role "Storage Blob Data Reader"`},
	} {
		b, err := openPrincipal(t, &fakeAzure{refuse: c.refuse, denies: true}, "")
		if err != nil {
			t.Fatal(err)
		}
		checks := providers.Probe(t.Context(), b, tasks.Need{Read: true, Write: true})
		fault{check: c.check, code: c.code, fix: c.fix}.wantFailure(t, checks)
		_, err = b.Stat(t.Context(), "k")
		wantHidden(t, c.code, checks, err)
	}
}

// A token is never sent without TLS.
func TestTokenNeedsTLS(t *testing.T) {
	t.Parallel()
	_, err := openPrincipal(t, &fakeAzure{}, "http://127.0.0.1:1/acct")
	var e *providers.Error
	if !errors.As(err, &e) || e.Code != "TokenNeedsTLS" || e.Kind != providers.Invalid {
		t.Errorf("got %v", err)
	}
}

func TestWorkerIdentity_MustBeAllowed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		allowed        bool
		endpoint, want string
	}{
		{false, "", setting.WorkerIdentity.String()},
		{true, "https://attacker.example", "endpoint"},
		{true, "https://acct.blob.core.windows.net.attacker.example", "endpoint"},
		{true, "https://acct.blob.core.windows.net:8443", "endpoint"},
		{true, "http://acct.blob.core.windows.net", "endpoint"},
	} {
		s := tasks.Storage{Provider: "azure", Bucket: "c", Account: "acct", Endpoint: c.endpoint, Auth: tasks.Auth{Method: tasks.AuthWorkerIdentity}}
		_, err := (&azure.Opener{Client: &http.Client{Transport: &fakeAzure{}}, WorkerIdentity: c.allowed}).Open(t.Context(), s, providers.Secrets{})
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Invalid || !strings.Contains(e.Fix, c.want) {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}

// Not parallel: it sets environment variables.
func TestWorkloadIdentity(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("federated"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", file)
	t.Setenv("AZURE_CLIENT_ID", "client-2")
	t.Setenv("AZURE_TENANT_ID", "tenant")
	s := tasks.Storage{Provider: "azure", Bucket: "c", Account: "acct", Auth: tasks.Auth{Method: tasks.AuthWorkerIdentity}}
	b, err := (&azure.Opener{Client: &http.Client{Transport: &fakeAzure{}}, WorkerIdentity: true}).Open(t.Context(), s, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	wantChecks(t, b, tasks.Need{Read: true}, "credentials ok, list ok, read ok")
}

// Every shard of a job opens its bucket again, and all of them share one
// token. A bucket with another secret gets another token. A verification
// signs in anew.
func TestSignInIsShared(t *testing.T) {
	t.Parallel()
	n := &fakeAzure{}
	o := &azure.Opener{Client: &http.Client{Transport: n}, Attempts: 1}
	bucketOf := func(name, secret string) providers.Bucket {
		file, secrets := secretFile(t, secret)
		b, err := o.Open(t.Context(), tasks.Storage{Provider: "azure", Bucket: name, Account: "acct", Auth: tasks.Auth{
			Method: tasks.AuthServicePrincipal, TenantID: "tenant", ClientID: "client-1", ClientSecret: file,
		}}, secrets)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for i, c := range []struct {
		bucket, secret string
		tokens         int64 // fetched so far
	}{{"c", "CANARY-secret", 1}, {"c", "CANARY-secret", 1}, {"other", "CANARY-secret", 1}, {"c", "CANARY-other", 2}, {"c", "CANARY-secret", 2}} {
		_, err := bucketOf(c.bucket, c.secret).Stat(t.Context(), "k")
		if providers.KindOf(err) != providers.NotFound || n.tokens.Load() != c.tokens {
			t.Errorf("bucket %d: %d tokens, want %d; %v", i, n.tokens.Load(), c.tokens, err)
		}
	}
	wantChecks(t, bucketOf("c", "CANARY-secret"), tasks.Need{}, "credentials ok, list ok")
	if n.tokens.Load() != 3 {
		t.Errorf("%d tokens after a verification", n.tokens.Load())
	}
	n.refuse = "AADSTS7000222: The provided client secret keys for app are expired."
	fault{check: "credentials", code: "AADSTS7000222", fix: "az ad app credential reset"}.wantFailure(t, providers.Probe(t.Context(), bucketOf("c", "CANARY-secret"), tasks.Need{}))
}

// Not parallel: it sets the environment variables in which App Service
// gives the address of its identity service.
func TestManagedIdentity(t *testing.T) {
	var requests atomic.Int64
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		query := r.URL.Query()
		if r.Header.Get("X-Identity-Header") != "CANARY-header" || query.Get("client_id") != "client-3" || query.Get("resource") != "https://storage.azure.com" {
			t.Errorf("a request to %s with %v", r.URL, r.Header)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":"CANARY-token","expires_on":"%d","resource":"https://storage.azure.com","token_type":"Bearer"}`, time.Now().Add(time.Hour).Unix())
	}))
	t.Cleanup(service.Close)
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", "")
	t.Setenv("AZURE_CLIENT_ID", "client-3")
	t.Setenv("IDENTITY_ENDPOINT", service.URL)
	t.Setenv("IDENTITY_HEADER", "CANARY-header")
	s := tasks.Storage{Provider: "azure", Bucket: "c", Account: "acct", Auth: tasks.Auth{Method: tasks.AuthWorkerIdentity}}
	b, err := (&azure.Opener{Client: &http.Client{Transport: &fakeAzure{}}, WorkerIdentity: true}).Open(t.Context(), s, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	wantChecks(t, b, tasks.Need{Read: true}, "credentials ok, list ok, read ok")
	if requests.Load() == 0 {
		t.Error("no request to the identity service")
	}
}

// When the sign-in service cannot be reached, errors have the same kinds
// and advice as for the blob service.
func TestSignInUnreached(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx   context.Context
		fails error
		kind  providers.Kind
		want  string // a part of the error or of its advice
	}{
		"Blocked": {t.Context(), &egress.BlockedError{Addr: netip.MustParseAddr("10.0.0.1"), Rule: "private"}, providers.Blocked, setting.EgressAllow.String()},
		"Refused": {t.Context(), errors.New("dial tcp 10.0.0.1:443: connect: connection refused"), providers.Unavailable, "connection refused"},
		"Ended":   {ended, context.Canceled, providers.Unavailable, "context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret, secrets := secretFile(t, "CANARY-secret")
			s := tasks.Storage{Provider: "azure", Bucket: "c", Account: "acct", Auth: tasks.Auth{
				Method: tasks.AuthServicePrincipal, TenantID: "tenant", ClientID: "client-1", ClientSecret: secret,
			}}
			b, err := (&azure.Opener{Client: &http.Client{Transport: failingTransport{c.fails}}, Attempts: 1}).Open(t.Context(), s, secrets)
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.Stat(c.ctx, "k")
			var e *providers.Error
			if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Error()+e.Advice(), c.want) || strings.Contains(e.Error(), "CANARY") {
				t.Errorf("got %v with advice %q", err, e.Advice())
			}
			if providers.IsContext(c.ctx, err) != (c.ctx == ended) {
				t.Errorf("the context's own: %v", err)
			}
		})
	}
}

// failingTransport fails every request.
type failingTransport struct{ err error }

func (u failingTransport) RoundTrip(*http.Request) (*http.Response, error) { return nil, u.err }

// Every error of Open names the bucket.
func TestErrorsOfOpenNameTheBucket(t *testing.T) {
	t.Parallel()
	for _, s := range []tasks.Storage{
		{Bucket: "pictures", Account: "acct", Auth: tasks.Auth{Method: "unheard-of"}},
		{Bucket: "pictures", Account: "A!", Auth: tasks.Auth{Method: tasks.AuthAnonymous}},
	} {
		_, err := (&azure.Opener{Client: http.DefaultClient}).Open(t.Context(), s, providers.Secrets{})
		if err == nil || !strings.HasPrefix(err.Error(), "open bucket pictures: invalid: ") {
			t.Errorf("got %v", err)
		}
	}
}
