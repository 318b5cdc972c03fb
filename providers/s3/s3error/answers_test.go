package s3error_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
)

// errorAnswer is an error that a server really answers with, and what
// the bucket must report.
type errorAnswer struct {
	status        int
	code, message string
	kind          providers.Kind
	advice        string // words of it
}

func checkAnswer(t *testing.T, c errorAnswer) {
	t.Helper()
	b := s3test.OpenHandler(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Request-Id", "REQ1")
		s3test.WriteError(w, c.status, c.code, c.message)
	})
	_, err := b.Open(t.Context(), "k", providers.ReadOptions{})
	var e *providers.Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: got %v", c.code, err)
	}
	if e.Kind != c.kind || e.Code != c.code || e.Status != c.status ||
		e.RequestID != "REQ1" || e.Detail != c.message {
		t.Errorf("%s: got %#v", c.code, *e)
	}
	if !strings.Contains(e.Advice(), c.advice) {
		t.Errorf("%s: advice %q, want %q in it", c.code, e.Advice(), c.advice)
	}
	if strings.Contains(err.Error(), "operation error") || strings.Count(err.Error(), c.code) != 1 {
		t.Errorf("reads %q", err)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	const (
		unauthenticated = providers.Unauthenticated
		denied          = providers.Denied
		notFound        = providers.NotFound
		invalid         = providers.Invalid
		throttled       = providers.Throttled
		unavailable     = providers.Unavailable
	)
	for _, c := range []errorAnswer{
		{404, "NoSuchKey", "The specified key does not exist.", notFound, "Check the key"},
		{404, "NoSuchBucket", "The specified bucket does not exist", notFound, "bucket name"},
		{403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", unauthenticated, "ASIA"},
		{403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.", unauthenticated, "white space"},
		{403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", unauthenticated, "clock"},
		{400, "ExpiredToken", "The provided token has expired.", unauthenticated, "session token"},
		{400, "InvalidToken", "The provided token is malformed or otherwise invalid.", unauthenticated, "session token"},
		{400, "KMS.DisabledException", "arn:aws:kms:eu-west-1:1:key/9 is disabled.", denied, "disabled or gone"},
		{403, "InvalidObjectState", "The operation is not valid for the object's storage class", invalid, "restore"},
		{403, "AllAccessDisabled", "All access to this object has been disabled", denied, "AWS support"},
		{400, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'", invalid, "region to eu-west-1."},
		{301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.", invalid, "region"},
		{400, "IllegalLocationConstraintException", "The me-south-1 location constraint is incompatible", invalid, "enabled"},
		{503, "SlowDown", "Please reduce your request rate.", throttled, "fewer"},
		{429, "TooManyRequests", "Too many", throttled, "fewer"},
		{500, "InternalError", "We encountered an internal error. Please try again.", unavailable, "trouble"},
		{400, "RequestTimeout", "Your socket connection to the server was not read from or written to.", unavailable, "trouble"},
		{412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", providers.Conflict, "run the job again"},
		{400, "InvalidBucketName", "The specified bucket is not valid.", invalid, "bucket name"},
		{501, "NotImplemented", "A header you provided implies functionality that is not implemented", invalid, "lacks a call"},
		{418, "NeverHeardOfIt", "", invalid, "payload"},
		{507, "NeverHeardOfIt", "", unavailable, "trouble"},
	} {
		checkAnswer(t, c)
	}
}

// The long messages of AccessDenied say what is missing where.
func TestAnswers_AccessDenied(t *testing.T) {
	t.Parallel()
	const user = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: "
	const read = user + `s3:GetObject on resource: "arn:aws:s3:::b/k" `
	for message, advice := range map[string]string{
		"Access Denied": "does not say why",
		read + "because no identity-based policy allows the s3:GetObject action": "Allow s3:GetObject on arn:aws:s3:::b/k in the user's IAM policy",
		read + "because no resource-based policy allows the s3:GetObject action": "in the bucket policy",
		read + "with an explicit deny in a service control policy":               "s3:GetObject",
		read + "because of an explicit deny in a permissions boundary":           "Remove the deny of s3:GetObject",
		user + "kms:Decrypt on resource: arn:aws:kms:eu-west-1:1:key/9 " +
			"because no identity-based policy allows the kms:Decrypt action": "kms:Decrypt on arn:aws:kms:eu-west-1:1:key/9",
		user + "kms:GenerateDataKey on this resource " +
			"because the resource does not exist in this Region": "in the key policy",
	} {
		checkAnswer(t, errorAnswer{403, "AccessDenied", message, providers.Denied, advice})
	}
}

// Some servers send the phrase of the HTTP status as message. Then the
// code alone counts.
func TestAnswers_MessageIsThePhrase(t *testing.T) {
	t.Parallel()
	for _, c := range []errorAnswer{
		{401, "Unauthorized", "Unauthorized", providers.Unauthenticated, "access key ID"},
		{403, "SignatureDoesNotMatch", "Forbidden", providers.Unauthenticated, "white space"},
		{403, "AccessDenied", "Forbidden", providers.Denied, "Allow s3:GetObject"},
		{404, "NoSuchBucket", "Not Found", providers.NotFound, "bucket name"},
		{404, "NoSuchKey", "Not Found", providers.NotFound, "Check the key"},
		{503, "SlowDown", "Service Unavailable", providers.Throttled, "fewer"},
	} {
		b := s3test.OpenHandler(t, func(w http.ResponseWriter, _ *http.Request) {
			s3test.WriteError(w, c.status, c.code, c.message)
		})
		_, err := b.Open(t.Context(), "k", providers.ReadOptions{})
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != c.kind || e.Code != c.code || e.Detail != "" ||
			!strings.Contains(e.Advice(), c.advice) {
			t.Errorf("%s: got %v with advice %q", c.code, err, e.Advice())
		}
	}
}

// Garage has one code for wrong credentials and for missing rights.
func TestAnswers_Garage(t *testing.T) {
	t.Parallel()
	for _, c := range []errorAnswer{
		{403, "AccessDenied", "Forbidden: Invalid signature", providers.Unauthenticated, "secret access key"},
		{403, "AccessDenied", "Forbidden: No such key: GK31c2f218a2e44f485b94239e", providers.Unauthenticated, "access key ID"},
		{403, "AccessDenied", "Forbidden: Operation is not allowed for this key.", providers.Denied, "Allow s3:GetObject"},
	} {
		checkAnswer(t, c)
	}
}

// A server that wants the bucket in the host name says so by its own
// code.
func TestAnswers_PathStyle(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		"SecondLevelDomainForbidden", "PathStyleDomainForbidden", "VirtualHostDomainRequired", "InvalidPathAccess",
	} {
		checkAnswer(t, errorAnswer{403, code, "must be addressed by its domain", providers.Invalid, "addressing to virtual"})
	}
}

// An error document without end costs little memory.
func TestEndlessErrorIsCut(t *testing.T) {
	t.Parallel()
	b := s3test.OpenHandler(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, err := io.WriteString(w, "<Error><Code>Odd</Code><Message>")
		for err == nil {
			_, err = io.WriteString(w, strings.Repeat("x", 1<<16))
		}
	})
	_, err := b.Open(t.Context(), "k", providers.ReadOptions{})
	if providers.KindOf(err) != providers.Invalid || len(err.Error()) > 1000 {
		t.Errorf("got %.1000s", err)
	}
}

func TestSlowDown(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: -short runs no test of more than three seconds")
	}
	var requests atomic.Int64
	b := s3test.OpenHandler(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.Header().Set("Retry-After", "7")
		s3test.WriteError(w, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
	})
	for op, err := range providertest.Operations(t.Context(), b) {
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Throttled || e.RetryAfter != 7*time.Second ||
			e.Op != op || e.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: got %#v", op, err)
		}
	}
	if requests.Load() != 10 {
		t.Errorf("%d requests, want two for each operation", requests.Load())
	}
}

// A web page is not taken for an answer of S3, and nothing of it is
// shown.
func TestNotS3(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: -short runs no test of more than three seconds")
	}
	const page = `<!DOCTYPE html><html><title>internal-wiki</title><body>db-password</body></html>`
	for status, kind := range map[int]providers.Kind{
		200: providers.Invalid, 403: providers.Denied, 404: providers.NotFound,
		500: providers.Unavailable, 502: providers.Unavailable,
	} {
		b := s3test.OpenHandler(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, page)
		})
		for _, err := range b.List(t.Context(), providers.ListOptions{}) {
			var e *providers.Error
			if !errors.As(err, &e) || e.Kind != kind || e.Code != "NotS3" || !strings.Contains(e.Fix, "S3 API") {
				t.Errorf("%d: got %v", status, err)
			}
			if strings.Contains(err.Error(), "wiki") || strings.Contains(err.Error(), "password") {
				t.Errorf("the page is repeated: %v", err)
			}
		}
	}
}

func TestLocationIsNotFollowed(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request went to the Location")
	}))
	defer other.Close()
	b := s3test.OpenHandler(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", other.URL)
		w.Header().Set("X-Amz-Bucket-Region", "eu-west-3")
		s3test.WriteError(w, http.StatusMovedPermanently, "PermanentRedirect",
			"The bucket must be addressed using the specified endpoint.")
	})
	for op, err := range providertest.Operations(t.Context(), b) {
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Invalid || !strings.Contains(e.Fix, "eu-west-3") {
			t.Errorf("%s: got %v", op, err)
		}
	}
}

func TestSecretIsHidden(t *testing.T) {
	t.Parallel()
	b := s3test.OpenHandler(t, func(w http.ResponseWriter, _ *http.Request) {
		s3test.WriteError(w, http.StatusForbidden, "AccessDenied",
			"User: top-secret is not authorized to perform: top-secret on resource: top-secret")
	})
	for op, err := range providertest.Operations(t.Context(), b) {
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Denied ||
			strings.Contains(fmt.Sprintf("%+v %#v", err, *e), "top-secret") {
			t.Errorf("%s: got %#v", op, err)
		}
	}
}

func TestLongMessageIsCut(t *testing.T) {
	t.Parallel()
	b := s3test.OpenHandler(t, func(w http.ResponseWriter, _ *http.Request) {
		message := "line one\nline two " + strings.Repeat("é", 5000)
		s3test.WriteError(w, http.StatusBadRequest, "Odd", message)
	})
	_, err := b.Stat(t.Context(), "k")
	text := err.Error()
	if len(text) > 800 || strings.Contains(text, "\n") || strings.ContainsRune(text, '\uFFFD') {
		t.Errorf("reads %q", text)
	}
}
