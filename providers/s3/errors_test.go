package s3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// What servers really answer, and what that means to Stevedore and to the one
// who reads it.
func TestErrorAnswers(t *testing.T) {
	t.Parallel()
	const user = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: "
	const photos = `s3:GetObject on resource: "arn:aws:s3:::b/k" `
	for _, c := range []struct {
		status  int
		code    string
		message string
		kind    providers.Kind
		advice  string // words in it
	}{
		{404, "NoSuchKey", "The specified key does not exist.", providers.NotFound, "Check the key"},
		{404, "NoSuchBucket", "The specified bucket does not exist", providers.NotFound, "bucket name"},
		{403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", providers.Unauthenticated, "ASIA"},
		{403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.", providers.Unauthenticated, "white space"},
		{403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", providers.Unauthenticated, "clock"},
		{400, "ExpiredToken", "The provided token has expired.", providers.Unauthenticated, "session token"},
		{400, "InvalidToken", "The provided token is malformed or otherwise invalid.", providers.Unauthenticated, "session token"},
		{403, "AccessDenied", "Access Denied", providers.Denied, "does not say why"},
		{403, "AccessDenied", user + photos + "because no identity-based policy allows the s3:GetObject action", providers.Denied, "Allow s3:GetObject on arn:aws:s3:::b/k in the user's IAM policy"},
		{403, "AccessDenied", user + photos + "because no resource-based policy allows the s3:GetObject action", providers.Denied, "in the bucket policy"},
		{403, "AccessDenied", user + photos + "with an explicit deny in a service control policy", providers.Denied, "s3:GetObject"},
		{403, "AccessDenied", user + photos + "because of an explicit deny in a permissions boundary", providers.Denied, "Remove the deny of s3:GetObject"},
		{403, "AccessDenied", user + "kms:Decrypt on resource: arn:aws:kms:eu-west-1:1:key/9 because no identity-based policy allows the kms:Decrypt action", providers.Denied, "kms:Decrypt on arn:aws:kms:eu-west-1:1:key/9"},
		{403, "AccessDenied", user + "kms:GenerateDataKey on this resource because the resource does not exist in this Region", providers.Denied, "in the key policy"},
		{400, "KMS.DisabledException", "arn:aws:kms:eu-west-1:1:key/9 is disabled.", providers.Denied, "disabled or gone"},
		{403, "InvalidObjectState", "The operation is not valid for the object's storage class", providers.Invalid, "restore"},
		{403, "AllAccessDisabled", "All access to this object has been disabled", providers.Denied, "AWS support"},
		{400, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'", providers.Invalid, "region to eu-west-1."},
		{301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.", providers.Invalid, "region"},
		{400, "IllegalLocationConstraintException", "The me-south-1 location constraint is incompatible", providers.Invalid, "enabled"},
		{503, "SlowDown", "Please reduce your request rate.", providers.Throttled, "fewer"},
		{429, "TooManyRequests", "Too many", providers.Throttled, "fewer"},
		{500, "InternalError", "We encountered an internal error. Please try again.", providers.Unavailable, "trouble"},
		{400, "RequestTimeout", "Your socket connection to the server was not read from or written to.", providers.Unavailable, "trouble"},
		{412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", providers.Conflict, "run the job again"},
		{400, "InvalidBucketName", "The specified bucket is not valid.", providers.Invalid, "bucket name"},
		{501, "NotImplemented", "A header you provided implies functionality that is not implemented", providers.Invalid, "lacks a call"},
		{418, "NeverHeardOfIt", "", providers.Invalid, "payload"},
		{507, "NeverHeardOfIt", "", providers.Unavailable, "trouble"},
	} {
		b := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amz-Request-Id", "REQ1")
			w.WriteHeader(c.status)
			_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`, c.code, c.message)
		})
		_, err := b.Open(t.Context(), "k", providers.ReadOptions{})
		var e *providers.Error
		if !errors.As(err, &e) {
			t.Fatalf("%s: got %v", c.code, err)
		}
		if e.Kind != c.kind || e.Code != c.code || e.Status != c.status || e.RequestID != "REQ1" || e.Detail != c.message {
			t.Errorf("%s: got %#v", c.code, *e)
		}
		if !strings.Contains(e.Advice(), c.advice) {
			t.Errorf("%s: advice %q, want %q in it", c.code, e.Advice(), c.advice)
		}
		if strings.Contains(err.Error(), "operation error") || strings.Count(err.Error(), c.code) != 1 {
			t.Errorf("reads %q", err)
		}
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
	closed, err := net.Listen("tcp", "127.0.0.1:0")
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
		b := open(t, c.endpoint, "b", providertest.Keys{AccessKeyID: "AKIA", SecretAccessKey: "top-secret"})
		_, err := b.Open(t.Context(), "k", providers.ReadOptions{})
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Advice(), c.advice) || strings.Contains(err.Error(), "operation error") {
			t.Errorf("%s: got %v, kind %s, advice %q", c.endpoint, err, providers.KindOf(err), e.Advice())
		}
	}
}

func TestLongMessageIsCut(t *testing.T) {
	t.Parallel()
	b := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "<Error><Code>Odd</Code><Message>line one\nline two "+strings.Repeat("é", 5000)+"</Message></Error>")
	})
	_, err := b.Stat(t.Context(), "k")
	if text := err.Error(); len(text) > 800 || strings.Contains(text, "\n") || strings.ContainsRune(text, '\uFFFD') {
		t.Errorf("reads %q", text)
	}
}

// The credentials come from people who paste them.
func TestLineBreakInSessionToken(t *testing.T) {
	t.Parallel()
	s, secrets := storage(t, "http://127.0.0.1:1", "b", providertest.Keys{AccessKeyID: "AK\nIA", SecretAccessKey: "top-secret"})
	s.Auth.AccessKeyID = "AK\x01IA"
	_, err := openStorage(t, s, secrets).Stat(t.Context(), "k")
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != providers.Invalid || !strings.Contains(e.Fix, "line breaks") {
		t.Errorf("got %#v", err)
	}
}

// The caller's deadline shows as such; a connection that is too slow keeps
// its own words.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	s := tasks.Storage{Provider: "s3", Bucket: "b", Endpoint: server.URL, Auth: tasks.Auth{Method: tasks.AuthAnonymous}}
	transport := &http.Transport{ResponseHeaderTimeout: 20 * time.Millisecond}
	defer transport.CloseIdleConnections()
	slow, err := (&s3.Opener{Client: &http.Client{Transport: transport}, Attempts: 1}).Open(t.Context(), s, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = slow.Stat(t.Context(), "k")
	if providers.KindOf(err) != providers.Unavailable || !strings.Contains(err.Error(), "awaiting response headers") {
		t.Errorf("a slow server: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = openStorage(t, s, providers.Secrets{}).Stat(ctx, "k")
	if !providers.IsContext(ctx, err) || !strings.HasSuffix(err.Error(), "context deadline exceeded") {
		t.Errorf("the caller's deadline: %v", err)
	}
}
