package gcs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// inJSON returns a failure in the format of the JSON API.
func inJSON(status int, reason, message string) string {
	data, err := json.Marshal(map[string]any{"error": map[string]any{
		"code": status, "message": message, "errors": []any{map[string]any{"message": message, "domain": "global", "reason": reason}},
	}})
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// inXML returns a failure in the format of the XML API.
func inXML(code, message, details string) string {
	return fmt.Sprintf("<?xml version='1.0' encoding='UTF-8'?><Error><Code>%s</Code><Message>%s</Message><Details>%s</Details></Error>", code, message, details)
}

// withErrorInfo returns a failure in JSON with the details that newer
// parts of Google add.
func withErrorInfo(status int, reason, message string) string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"status":"PERMISSION_DENIED","errors":[{"message":%[2]q,"domain":"global","reason":"forbidden"}],`+
		`"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":%q,"domain":"googleapis.com"}]}}`, status, message, reason)
}

const (
	noAccess  = "ann@example.iam.gserviceaccount.com does not have %s access to the Google Cloud Storage object. Permission '%[1]s' denied on resource (or it may not exist)."
	nobody    = "Anonymous caller does not have %s access to the Google Cloud Storage bucket. Permission '%[1]s' denied on resource (or it may not exist)."
	noKey     = "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been authorized to use this key."
	keyState  = "Cloud KMS key version projects/p/locations/eu/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1 is not enabled, current state is: DESTROYED."
	payer     = "Bucket is a requester pays bucket but no user project provided."
	noBilling = "The project to be billed is associated with an absent billing account."
	noUse     = "ann@example.iam.gserviceaccount.com does not have serviceusage.services.use access to the Google Cloud project. Permission 'serviceusage.services.use' denied on resource (or it may not exist)."
	noAPI     = "Cloud Storage JSON API has not been used in project 1 before or it is disabled."
	perimeter = "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: 4-fmK7ZCYZkpwWIhDJrHAxBG"
	retained  = "Object 'b/k' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until 2027-01-01T00:00:00Z"
)

// Answers of the real Google, and the errors and advice that Stevedore
// makes of them.
func TestErrorAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		kind   providers.Kind
		code   string
		advice string // words in it
	}{
		{404, inJSON(404, "notFound", "No such object: b/k"), providers.NotFound, "notFound", "Check the key"},
		{404, inJSON(404, "notFound", "The specified bucket does not exist."), providers.NotFound, "NoSuchBucket", "gcloud storage buckets describe gs://b"},
		{404, inXML("NoSuchBucket", "The specified bucket does not exist.", ""), providers.NotFound, "NoSuchBucket", "storage.bucket"},
		{404, inXML("NoSuchKey", "The specified key does not exist.", "No such object: b/k"), providers.NotFound, "NoSuchKey", "Check the key"},
		{401, inJSON(401, "required", fmt.Sprintf(nobody, "storage.objects.list")), providers.Denied, "required", "--member=allUsers --role=roles/storage.objectViewer"},
		{401, inXML("AccessDenied", "Access denied.", fmt.Sprintf(nobody, "storage.objects.get")), providers.Denied, "AccessDenied", "--no-public-access-prevention"},
		{401, inJSON(401, "authError", "Invalid Credentials"), providers.Unauthenticated, "authError", "service account exists"},
		{403, inJSON(403, "forbidden", fmt.Sprintf(noAccess, "storage.objects.get")), providers.Denied, "forbidden", "Grant storage.objects.get"},
		{403, inJSON(403, "forbidden", strings.ReplaceAll(fmt.Sprintf(noAccess, "storage.objects.get"), "ann@", "kms-key-anonymous@")), providers.Denied, "forbidden", "Grant storage.objects.get"},
		{403, inXML("AccessDenied", "Access denied.", fmt.Sprintf(noAccess, "storage.objects.list")), providers.Denied, "AccessDenied", "--role=roles/storage.objectViewer"},
		{403, inJSON(403, "forbidden", fmt.Sprintf(noAccess, "storage.objects.create")), providers.Denied, "forbidden", "--role=roles/storage.objectUser"},
		{403, inJSON(403, "forbidden", fmt.Sprintf(noAccess, "storage.objects.delete")), providers.Denied, "forbidden", "Replacing an object needs storage.objects.delete"},
		{403, inJSON(403, "forbidden", "Access denied."), providers.Denied, "forbidden", "does not say which permission"},
		{400, inJSON(400, "required", payer), providers.Invalid, "UserProjectMissing", "storage.project"},
		{400, inXML("UserProjectMissing", payer, ""), providers.Invalid, "UserProjectMissing", "serviceusage.services.use"},
		{403, inJSON(403, "forbidden", noUse), providers.Denied, "forbidden", "roles/serviceusage.serviceUsageConsumer"},
		{403, inJSON(403, "accountDisabled", noBilling), providers.Denied, "accountDisabled", "gcloud billing projects link"},
		{403, inJSON(403, "forbidden", noKey), providers.Denied, "forbidden", "gcloud storage service-agent"},
		{400, inJSON(400, "invalid", keyState), providers.Denied, "invalid", "gcloud kms keys versions enable"},
		{403, withErrorInfo(403, "SERVICE_DISABLED", noAPI), providers.Denied, "SERVICE_DISABLED", "gcloud services enable storage.googleapis.com"},
		{403, withErrorInfo(403, "SECURITY_POLICY_VIOLATED", perimeter), providers.Denied, "SECURITY_POLICY_VIOLATED", "perimeter"},
		{403, inJSON(403, "retentionPolicyNotMet", retained), providers.Denied, "retentionPolicyNotMet", "another key"},
		{403, inJSON(403, "rateLimitExceeded", "Rate Limit Exceeded"), providers.Throttled, "rateLimitExceeded", "fewer"},
		{429, inJSON(429, "rateLimitExceeded", "The object b/k exceeded the rate limit for object mutation operations."), providers.Throttled, "rateLimitExceeded", "fewer"},
		{412, inJSON(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."), providers.Conflict, "conditionNotMet", "run the job again"},
		{400, inJSON(400, "invalid", `Provided CRC32C "a" doesn't match calculated CRC32C "b".`), providers.Unavailable, "invalid", "trouble"},
		{400, inJSON(400, "invalid", "Invalid bucket name: 'b'"), providers.Invalid, "invalid", "payload"},
		{503, inJSON(503, "backendError", "We encountered an internal error. Please try again."), providers.Unavailable, "backendError", "trouble"},
		{500, inXML("InternalError", "We encountered an internal error. Please try again.", ""), providers.Unavailable, "InternalError", "trouble"},
		{502, "<html>Bad Gateway of evil</html>", providers.Unavailable, "NotGCS", "storage.endpoint"},
		{404, "<html>evil</html>", providers.Invalid, "NotGCS", "storage.endpoint"},
		{404, "Not Found\n", providers.NotFound, "notFound", "Check the key"},
		{403, "<html>evil</html>", providers.Denied, "NotGCS", "storage.endpoint"},
		{302, "", providers.Invalid, "NotGCS", "storage.endpoint"},
	} {
		t.Run(fmt.Sprintf("%d %.40s", c.status, c.body), func(t *testing.T) {
			t.Parallel()
			b := openAt(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Guploader-Uploadid", "request-1")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			for op, err := range providertest.Operations(t.Context(), b) {
				if op == "delete" && c.kind == providers.NotFound && c.code != "NoSuchBucket" {
					continue
				}
				e := wantError(t, err, c.kind, c.code)
				if e.Op != op || e.Bucket != "b" || !strings.Contains(strings.ReplaceAll(e.Advice(), "Check the bucket name", "Check the key"), c.advice) {
					t.Errorf("%s: %+v with advice %q, want %q in it", op, e, e.Advice(), c.advice)
				}
				if strings.Contains(e.Error(), "evil") {
					t.Errorf("the error repeats a web page: %v", e)
				}
				if c.code != "NotGCS" && e.RequestID != "request-1" {
					t.Errorf("request ID %q", e.RequestID)
				}
			}
		})
	}
}

// openAt opens a bucket on a server with a handler. Each request is made
// once.
func openAt(t testing.TB, handler http.HandlerFunc) providers.Bucket {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return open(t, &gcs.Opener{Client: guarded(t), Attempts: 1}, anonymous(server.URL, "b"), providers.Secrets{})
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	b := openAt(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, inJSON(429, "rateLimitExceeded", "slow down"))
	})
	_, err := b.Stat(t.Context(), "k")
	if e := wantError(t, err, providers.Throttled, "rateLimitExceeded"); e.RetryAfter != 7*time.Second {
		t.Errorf("got %v", e.RetryAfter)
	}
}

// A loopback address is blocked unless the operator allows it. The error
// says how to allow it.
func TestEgressIsBlocked(t *testing.T) {
	t.Parallel()
	b := open(t, &gcs.Opener{Client: egress.Policy{}.Client(), Attempts: 3}, anonymous("http://127.0.0.1:1", "b"), providers.Secrets{})
	for op, err := range providertest.Operations(t.Context(), b) {
		e := wantError(t, err, providers.Blocked, "")
		var blocked *egress.BlockedError
		if !errors.As(err, &blocked) || !strings.Contains(e.Advice(), setting.EgressAllow.String()) {
			t.Errorf("%s: %v with advice %q", op, err, e.Advice())
		}
	}
}

// A server that answers everything with 200 and a page of its own has no
// empty bucket, no object, and has stored nothing.
func TestWebPagesAreErrors(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"<html>evil</html>", "{}", `{"items":[],"message":"evil"}`} {
		b := openAt(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, page) })
		for op, err := range providertest.Operations(t.Context(), b) {
			if op == "delete" { // the answer of a real delete has no body to check
				continue
			}
			if e := wantError(t, err, providers.Invalid, "NotGCS"); strings.Contains(e.Error(), "evil") {
				t.Errorf("%s: the error repeats a web page: %v", op, e)
			}
		}
		for _, c := range providers.Probe(t.Context(), b, tasks.Need{}) {
			if c.ID == "list" && (c.Status != tasks.CheckFail || c.Code != "NotGCS") {
				t.Errorf("%s: %+v", page, c)
			}
		}
	}
}

// Google leaves out fields that were not asked for. With the objects'
// fields alone, the listing of an empty bucket would be "{}".
func TestListingAsksForItsKind(t *testing.T) {
	t.Parallel()
	b := openAt(t, func(w http.ResponseWriter, r *http.Request) {
		fields := strings.Split(r.URL.Query().Get("fields"), ",")
		if !slices.Contains(fields, "kind") || len(fields) < 3 {
			t.Errorf("asked for the fields %q", fields)
		}
		_, _ = io.WriteString(w, `{"kind":"storage#objects"}`)
	})
	for o, err := range b.List(t.Context(), providers.ListOptions{Prefix: "dir/o"}) {
		t.Errorf("got %v, %v", o, err)
	}
}
