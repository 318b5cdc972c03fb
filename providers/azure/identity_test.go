package azure_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// internet answers for the sign-in service and for one account. No request leaves the process.
type internet struct {
	refuse string // the sign-in's error
	denies bool   // the account knows the caller, who may not read
	tokens atomic.Int64
}

func (n *internet) RoundTrip(r *http.Request) (*http.Response, error) {
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
		body = `{"tenant_discovery_endpoint":"` + authority + `/.well-known","metadata":[],"token_endpoint":"` + authority + `/token","authorization_endpoint":"` + authority + `/authorize","issuer":"` + authority + `"}`
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

func principal(t testing.TB, n *internet, endpoint string) (providers.Bucket, error) {
	t.Helper()
	secret, secrets := secretFile(t, "CANARY-secret")
	s := tasks.Storage{Provider: "azure", Bucket: "c", Account: "acct", Endpoint: endpoint, Auth: tasks.Auth{
		Method: tasks.AuthServicePrincipal, TenantID: "tenant", ClientID: "client-1", ClientSecret: secret,
	}}
	return (&azure.Opener{Client: &http.Client{Transport: n}, Attempts: 1}).Open(t.Context(), s, secrets)
}

func TestServicePrincipal(t *testing.T) {
	t.Parallel()
	n := &internet{}
	b, err := principal(t, n, "")
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
		b, err := principal(t, &internet{refuse: c.refuse, denies: true}, "")
		if err != nil {
			t.Fatal(err)
		}
		checks := providers.Probe(t.Context(), b, tasks.Need{Read: true, Write: true})
		fault{check: c.check, code: c.code, fix: c.fix}.judge(t, checks)
		_, err = b.Stat(t.Context(), "k")
		wantHidden(t, c.code, checks, err)
	}
}

// A token is sent nowhere in the clear.
func TestTokenNeedsTLS(t *testing.T) {
	t.Parallel()
	_, err := principal(t, &internet{}, "http://127.0.0.1:1/acct")
	var e *providers.Error
	if !errors.As(err, &e) || e.Code != "TokenNeedsTLS" || e.Kind != providers.Invalid {
		t.Errorf("got %v", err)
	}
}

func TestWorkerIdentityIsGuarded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		allowed        bool
		endpoint, want string
	}{
		{false, "", azure.IdentitySetting},
		{true, "https://attacker.example", "endpoint"},
		{true, "https://acct.blob.core.windows.net.attacker.example", "endpoint"},
		{true, "https://acct.blob.core.windows.net:8443", "endpoint"},
		{true, "http://acct.blob.core.windows.net", "endpoint"},
	} {
		s := tasks.Storage{Provider: "azure", Bucket: "c", Account: "acct", Endpoint: c.endpoint, Auth: tasks.Auth{Method: tasks.AuthWorkerIdentity}}
		_, err := (&azure.Opener{Client: &http.Client{Transport: &internet{}}, WorkerIdentity: c.allowed}).Open(t.Context(), s, providers.Secrets{})
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
	b, err := (&azure.Opener{Client: &http.Client{Transport: &internet{}}, WorkerIdentity: true}).Open(t.Context(), s, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	wantChecks(t, b, tasks.Need{Read: true}, "credentials ok, list ok, read ok")
}
