package azure_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/azure"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// Answers of the real service, and the errors and advice that Stevedore
// makes of them.
func TestErrorAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		refusal
		kind   providers.Kind
		advice string // a part of the advice
	}{
		{refusal{404, "BlobNotFound", "The specified blob does not exist.", ""}, providers.NotFound, "Check the key"},
		{refusal{404, "ContainerNotFound", "The specified container does not exist.", ""}, providers.NotFound, "Check bucket"},
		{refusal{404, "ResourceNotFound", "The specified resource does not exist.", ""}, providers.NotFound, "private container"},
		{refusal{401, "NoAuthenticationInformation", "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.", ""}, providers.Unauthenticated, "SAS token"},
		{refusal{403, "AuthenticationFailed", unauthenticated, ""}, providers.Unauthenticated, "expired, not yet valid"},
		{refusal{403, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation using this permission.", ""}, providers.Denied, "r (Read)"},
		{refusal{403, "InsufficientAccountPermissions", "The account being accessed does not have sufficient permissions to execute this operation.", ""}, providers.Denied, "r (Read)"},
		{refusal{403, "AuthorizationFailure", "This request is not authorized to perform this operation.", ""}, providers.Denied, "network-rule"},
		{refusal{403, "AuthorizationFailure", unauthenticated, ""}, providers.Unauthenticated, "expired, not yet valid"}, // Azurite
		{refusal{403, "UnauthorizedBlobOverwrite", "This request is not authorized to perform blob overwrites.", ""}, providers.Denied, "sp"},
		{refusal{403, "EncryptionScopeDisabled", "The encryption scope is disabled.", ""}, providers.Denied, "Key Vault"},
		{refusal{409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.", ""}, providers.Denied, "--allow-blob-public-access"},
		{refusal{409, "BlobArchived", "This operation is not permitted on an archived blob.", ""}, providers.Invalid, "set-tier"},
		{refusal{409, "BlobBeingRehydrated", "This operation is not permitted because the blob is being rehydrated.", ""}, providers.Invalid, "hours"},
		{refusal{409, "BlobImmutableDueToPolicy", "This operation is not permitted as the blob is immutable due to a policy.", ""}, providers.Denied, "immutability"},
		{refusal{409, "InvalidBlobType", "The blob type is invalid for this operation.", ""}, providers.Invalid, "append or page"},
		{refusal{409, "ContainerBeingDeleted", "The specified container is being deleted.", ""}, providers.Unavailable, "being deleted"},
		{refusal{409, "BlobAlreadyExists", "The specified blob already exists.", ""}, providers.Conflict, "run the job again"},
		{refusal{412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.", ""}, providers.Conflict, "run the job again"},
		{refusal{412, "LeaseIdMissing", "There is currently a lease on the blob and no lease ID was specified in the request.", ""}, providers.Conflict, "lease"},
		{refusal{416, "InvalidRange", "The range specified is invalid for the current size of the resource.", ""}, providers.Invalid, "payload"},
		{refusal{400, "InvalidUri", "The requested URI does not represent any resource on the server.", ""}, providers.Invalid, "characters"},
		{refusal{400, "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format.", ""}, providers.Invalid, "payload"},
		{refusal{503, "ServerBusy", "The server is busy.", ""}, providers.Throttled, "fewer"},
		{refusal{500, "OperationTimedOut", "Operation could not be completed within the specified time.", ""}, providers.Unavailable, "fewer"},
		{refusal{500, "InternalError", "The server encountered an internal error. Please retry the request.", ""}, providers.Unavailable, "trouble"},
		{refusal{418, "NeverHeardOfIt", "", ""}, providers.Invalid, "payload"},
		{refusal{507, "NeverHeardOfIt", "", ""}, providers.Unavailable, "trouble"},
	} {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel()
			b := openOnce(t, serve(t, c.answer), unverified().SAS())
			_, err := b.Open(t.Context(), "k", providers.ReadOptions{})
			var e *providers.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if e.Kind != c.kind || e.Code != c.code || e.Status != c.status || e.RequestID != requestID || e.Detail != c.message {
				t.Errorf("got %#v", *e)
			}
			if !strings.Contains(e.Advice(), c.advice) {
				t.Errorf("advice %q, want %q in it", e.Advice(), c.advice)
			}
			if strings.Contains(err.Error(), "RESPONSE") || strings.Count(err.Error(), c.code) != 1 {
				t.Errorf("reads %q", err)
			}
		})
	}
}

func TestConnectionErrors(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	dropping := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer dropping.Close()
	closed, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for _, c := range []struct {
		endpoint, advice string
		kind             providers.Kind
	}{
		{"https" + strings.TrimPrefix(plain.URL, "http"), "http://", providers.Invalid},
		{secure.URL, "certificate", providers.Invalid},
		{dropping.URL, "reaches the endpoint", providers.Unavailable},
		{"http://" + closed.Addr().String(), "host and port", providers.Unavailable},
		{"http://no-such-host.invalid", "host name", providers.Unavailable},
	} {
		_, err := openOnce(t, c.endpoint, unverified().SAS()).Open(t.Context(), "k", providers.ReadOptions{})
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Advice(), c.advice) {
			t.Errorf("%s: got %v, kind %s", c.endpoint, err, providers.KindOf(err))
		}
	}
}

// A blocked address fails at the first attempt. The advice says which
// setting allows it.
func TestBlocked(t *testing.T) {
	t.Parallel()
	for _, s := range []tasks.Storage{
		{Endpoint: "http://127.0.0.1:1/devstoreaccount1", Auth: tasks.Auth{Method: tasks.AuthSAS}},
		{Auth: tasks.Auth{Method: tasks.AuthConnectionString}},
	} {
		given, secrets := storage(t, s.Auth.Method, s.Endpoint, "c", map[string]string{
			tasks.AuthSAS:              unverified().SAS(),
			tasks.AuthConnectionString: "AccountName=devstoreaccount1;BlobEndpoint=http://169.254.169.254/devstoreaccount1;AccountKey=" + developmentKey,
		}[s.Auth.Method])
		client := egress.Policy{}.Client()
		b, err := (&azure.Opener{Client: client}).Open(t.Context(), given, secrets)
		if err != nil {
			t.Fatal(err)
		}
		for op, err := range providertest.Operations(t.Context(), b) {
			var e *providers.Error
			if !errors.As(err, &e) || e.Kind != providers.Blocked || e.Fix == "" {
				t.Errorf("%s: got %v", op, err)
			}
		}
	}
}

func TestServerBusy(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: -short runs no test of more than three seconds")
	}
	var requests atomic.Int64
	b := open(t, tasks.AuthSAS, serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.Header().Set("Retry-After", "1")
		refusal{503, "ServerBusy", "The server is busy.", ""}.answer(w, r)
	}), "c", unverified().SAS())
	for op, err := range providertest.Operations(t.Context(), b) {
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Throttled || e.RetryAfter != time.Second || e.Op != op || e.Status != 503 {
			t.Errorf("%s: got %#v", op, err)
		}
	}
	if requests.Load() != 10 {
		t.Errorf("%d requests, want two for each operation", requests.Load())
	}
}

func TestNotAzure(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]providers.Kind{
		200: providers.Invalid, 301: providers.Invalid, 403: providers.Denied, 404: providers.NotFound, 502: providers.Unavailable,
	} {
		b := openOnce(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Location", "http://169.254.169.254/")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `<!DOCTYPE html><html><title>internal-wiki</title><body>db-password</body></html>`)
		}), unverified().SAS())
		for op, err := range providertest.Operations(t.Context(), b) {
			var e *providers.Error
			if !errors.As(err, &e) || e.Kind != kind || e.Code != "NotAzureBlob" || !strings.Contains(e.Fix, "blob service") {
				t.Errorf("%d, %s: got %v", status, op, err)
				continue
			}
			if strings.Contains(err.Error(), "wiki") || strings.Contains(err.Error(), "password") {
				t.Errorf("the error repeats a web page: %v", err)
			}
		}
	}
}

// An ended context is recognised in the error of every operation.
func TestErrorsOfAnEndedContext(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	endpoint := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for op, err := range providertest.Operations(ctx, open(t, tasks.AuthSAS, endpoint, "c", unverified().SAS())) {
		if !providers.IsContext(ctx, err) || !strings.HasSuffix(err.Error(), "context deadline exceeded") {
			t.Errorf("%s: %v", op, err)
		}
	}
}
