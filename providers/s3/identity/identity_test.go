package identity_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	secret, _ := s3test.SecretFile(t, "value")
	for code, auth := range map[string]tasks.Auth{
		"AuthNotSupported": {Method: tasks.AuthKeyFile},
		"AuthNotAllowed":   {Method: tasks.AuthWorkerIdentity},
		"SecretNotAllowed": {Method: tasks.AuthAccessKey, AccessKeyID: "AKIA", SecretAccessKey: secret},
	} {
		s := tasks.Storage{Provider: "s3", Bucket: "b", Auth: auth}
		o := &s3.Opener{Client: http.DefaultClient}
		_, err := o.Open(t.Context(), s, providers.Secrets{})
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Invalid || e.Code != code || e.Fix == "" {
			t.Errorf("%s: got %v", code, err)
		}
	}
}

func TestWorkerIdentity(t *testing.T) {
	t.Parallel()
	server := servers.STS(t)
	s := tasks.Storage{
		Provider: "s3", Bucket: server.Bucket(t), Region: "us-east-1", Addressing: "path",
		Auth: tasks.Auth{Method: tasks.AuthWorkerIdentity},
	}
	refusing := &s3.Opener{Client: http.DefaultClient}
	_, err := refusing.Open(t.Context(), s, providers.Secrets{})
	var e *providers.Error
	if !errors.As(err, &e) || e.Code != "AuthNotAllowed" || !strings.Contains(e.Fix, "the setting worker-identity") {
		t.Errorf("got %v", err)
	}

	allowing := &s3.Opener{
		STSEndpoint: server.Endpoint, WorkerIdentity: true,
		Client: s3test.AsAWS(t, server.S3Server.Endpoint),
	}
	b := s3test.Open(t, allowing, s, providers.Secrets{})
	c := s3test.Probe(t, b, tasks.Need{Read: true, Write: true})["credentials"]
	want := "the worker is arn:aws:iam::123456789012:root"
	if c.Status != tasks.CheckOK || !strings.Contains(c.Evidence, want) {
		t.Errorf("got %+v", c)
	}
}

// This test is not parallel, because it removes the identity of the
// process.
func TestWorkerWithoutIdentity(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	server := s3test.ServeFakeAWS(t)
	for _, auth := range []tasks.Auth{s3test.RoleAuth(), {Method: tasks.AuthWorkerIdentity}} {
		s := tasks.Storage{Provider: "s3", Bucket: "pictures", Region: "us-east-1", Auth: auth}
		o := &s3.Opener{
			STSEndpoint: server + "/sts", WorkerIdentity: true, Client: s3test.AsAWS(t, server),
		}
		b := s3test.Open(t, o, s, providers.Secrets{})
		_, err := b.Stat(t.Context(), "k")
		var e *providers.Error
		if !errors.As(err, &e) || e.Code != "NoWorkerIdentity" || e.Op != "assume-role" {
			t.Errorf("%s: got %v", auth.Method, err)
		}
		s3test.CheckOneFailure(t, b, "credentials", "NoWorkerIdentity", "AWS_WEB_IDENTITY_TOKEN_FILE")
	}
}

// If the certificates that AWS_CA_BUNDLE names cannot be read, the SDK
// finds no identity. The advice names the variable. This test is not
// parallel, because it changes the environment.
func TestWorkerWithWrongCABundle(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", filepath.Join(t.TempDir(), "missing.pem"))
	s := tasks.Storage{
		Provider: "s3", Bucket: "pictures", Region: "us-east-1",
		Auth: tasks.Auth{Method: tasks.AuthWorkerIdentity},
	}
	o := &s3.Opener{WorkerIdentity: true, Client: s3test.AsAWS(t, s3test.ServeFakeAWS(t))}
	b := s3test.Open(t, o, s, providers.Secrets{})
	_, err := b.Stat(t.Context(), "k")
	var e *providers.Error
	if !errors.As(err, &e) || e.Code != "NoWorkerIdentity" || !strings.Contains(e.Fix, "AWS_CA_BUNDLE") {
		t.Errorf("got %v", err)
	}
}

// A payload's endpoint gets the session token with every request, and
// may repeat it in its answer.
func TestSessionTokenIsHidden(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		message := "your token is " + r.Header.Get("X-Amz-Security-Token")
		s3test.WriteError(w, http.StatusForbidden, "AccessDenied", message)
	}))
	defer server.Close()
	s := tasks.Storage{
		Provider: "s3", Bucket: "pictures", Endpoint: server.URL, Auth: s3test.RoleAuth(),
	}
	o := &s3.Opener{STSEndpoint: s3test.ServeFakeAWS(t) + "/sts"}
	b := s3test.Open(t, o, s, providers.Secrets{})
	for op, err := range providertest.Operations(t.Context(), b) {
		if err == nil || strings.Contains(err.Error(), s3test.SessionToken) ||
			!strings.Contains(err.Error(), "[redacted]") {
			t.Errorf("%s: %v", op, err)
		}
	}
	if requests.Load() == 0 {
		t.Error("no request was made")
	}
}

// The cause of an error can repeat the session token too.
func TestCauseHoldsNoSecret(t *testing.T) {
	t.Parallel()
	s, _ := s3test.Storage(t, providertest.EchoServer(t, "X-Amz-Security-Token"), "b", s3test.Keys())
	var secrets providers.Secrets
	s.Auth.SessionToken, secrets = s3test.SecretFile(t, "session-secret")
	s.Auth.SecretAccessKey = s.Auth.SessionToken
	b := s3test.Open(t, &s3.Opener{Attempts: 1}, s, secrets)
	for op, err := range providertest.Operations(t.Context(), b) {
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Invalid ||
			strings.Contains(fmt.Sprintf("%v %v", e, e.Err), "session-secret") ||
			!strings.Contains(e.Error(), "[redacted]") {
			t.Errorf("%s: %v", op, err)
		}
	}
}

// A server can repeat the session token even as the request's ID.
func TestRequestIDHoldsNoSecret(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Amz-Security-Token") + strings.Repeat("x", 5000)
		w.Header().Set("X-Amz-Request-Id", id)
		s3test.WriteError(w, http.StatusForbidden, "AccessDenied", "m")
	}))
	t.Cleanup(server.Close)
	s, _ := s3test.Storage(t, server.URL, "b", s3test.Keys())
	var secrets providers.Secrets
	s.Auth.SessionToken, secrets = s3test.SecretFile(t, "session-secret")
	s.Auth.SecretAccessKey = s.Auth.SessionToken
	b := s3test.Open(t, &s3.Opener{}, s, secrets)
	for op, err := range providertest.Operations(t.Context(), b) {
		var e *providers.Error
		if !errors.As(err, &e) || strings.Contains(e.RequestID, "session-secret") ||
			len(e.RequestID) > 1000 || !strings.Contains(e.RequestID, "[redacted]") {
			t.Errorf("%s: request ID %.60q", op, e.RequestID)
		}
	}
}
