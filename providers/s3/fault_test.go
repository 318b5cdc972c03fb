package s3_test

import (
	"context"
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
	"github.com/stevedore-jobs/stevedore/tasks"
)

// faulty opens a bucket on a server that answers as the handler does. Its
// secret is "top-secret".
func faulty(t *testing.T, handler http.HandlerFunc) providers.Bucket {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return open(t, server.URL, "b", providertest.Keys{AccessKeyID: "AKIA", SecretAccessKey: "top-secret"})
}

// list, stat, get, put and delete, each giving its error.
func operations(ctx context.Context, b providers.Bucket) map[string]error {
	errs := map[string]error{}
	for _, err := range b.List(ctx, providers.ListOptions{}) {
		errs["list"] = err
	}
	_, errs["stat"] = b.Stat(ctx, "k")
	if r, err := b.Open(ctx, "k", providers.ReadOptions{}); err != nil {
		errs["get"] = err
	} else {
		_ = r.Close()
	}
	_, errs["put"] = b.Put(ctx, "k", strings.NewReader("x"), providers.WriteOptions{})
	errs["delete"] = b.Delete(ctx, "k")
	return errs
}

func TestSlowDown(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	b := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)
	})
	for op, err := range operations(t.Context(), b) {
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Throttled || e.RetryAfter != 7*time.Second || e.Op != op || e.Status != 503 {
			t.Errorf("%s: got %#v", op, err)
		}
	}
	if asked.Load() != 10 {
		t.Errorf("%d requests, want two for each operation", asked.Load())
	}
}

func TestNotS3(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]providers.Kind{
		200: providers.Invalid, 403: providers.Denied, 404: providers.NotFound, 500: providers.Unavailable, 502: providers.Unavailable,
	} {
		b := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `<!DOCTYPE html><html><title>internal-wiki</title><body>db-password</body></html>`)
		})
		for _, err := range b.List(t.Context(), providers.ListOptions{}) {
			var e *providers.Error
			if !errors.As(err, &e) || e.Kind != kind || e.Code != "NotS3" || !strings.Contains(e.Fix, "S3 API") {
				t.Errorf("%d: got %v", status, err)
			}
			if strings.Contains(err.Error(), "wiki") || strings.Contains(err.Error(), "password") {
				t.Errorf("a foreign page is repeated: %v", err)
			}
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer elsewhere.Close()
	b := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", elsewhere.URL)
		w.Header().Set("X-Amz-Bucket-Region", "eu-west-3")
		w.WriteHeader(http.StatusMovedPermanently)
		_, _ = io.WriteString(w, `<Error><Code>PermanentRedirect</Code><Message>The bucket must be addressed using the specified endpoint.</Message></Error>`)
	})
	for op, err := range operations(t.Context(), b) {
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Invalid || !strings.Contains(e.Fix, "eu-west-3") {
			t.Errorf("%s: got %v", op, err)
		}
	}
}

func TestSecretIsHidden(t *testing.T) {
	t.Parallel()
	b := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>User: top-secret is not authorized to perform: top-secret on resource: top-secret</Message></Error>`)
	})
	for op, err := range operations(t.Context(), b) {
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != providers.Denied || strings.Contains(fmt.Sprintf("%+v %#v", err, *e), "top-secret") {
			t.Errorf("%s: got %#v", op, err)
		}
	}
}

// A session token is sent with every request, and a server can answer with
// it, even where its support's ID should be.
func TestRequestIDHoldsNoSecret(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amz-Request-Id", r.Header.Get("X-Amz-Security-Token")+strings.Repeat("x", 5000))
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>m</Message></Error>`)
	}))
	t.Cleanup(server.Close)
	s, _ := storage(t, server.URL, "b", providertest.Keys{AccessKeyID: "AKIA", SecretAccessKey: "top-secret"})
	var allow providers.Secrets
	s.Auth.SessionToken, allow = secretFile(t, "session-secret")
	s.Auth.SecretAccessKey = s.Auth.SessionToken
	for op, err := range operations(t.Context(), openStorage(t, s, allow)) {
		var e *providers.Error
		if !errors.As(err, &e) || strings.Contains(e.RequestID, "session-secret") || len(e.RequestID) > 1000 || !strings.Contains(e.RequestID, "[redacted]") {
			t.Errorf("%s: request ID %.60q", op, e.RequestID)
		}
	}
}

const content = "0123456789"

// object answers every GET with a status, headers and a body, and HEAD with
// the object's size.
func object(status int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"e"`)
		if r.Method == http.MethodHead {
			w.Header().Set("Content-Length", "10")
			return
		}
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestAnswersToRanges(t *testing.T) {
	t.Parallel()
	part := providers.ReadOptions{Offset: 3, Length: 4}
	for _, c := range []struct {
		name   string
		opts   providers.ReadOptions
		answer http.HandlerFunc
		want   string
		kind   providers.Kind
	}{
		{"Exact", part, object(206, map[string]string{"Content-Range": "bytes 3-6/10"}, "3456"), "3456", ""},
		{"RangeIgnored", part, object(200, nil, content), "3456", ""},
		{"RangeIgnoredFromStart", providers.ReadOptions{Length: 4}, object(200, nil, content), "0123", ""},
		{"RangeIgnoredPastEnd", providers.ReadOptions{Offset: 10}, object(200, nil, content), "", providers.Invalid},
		{"Unsatisfiable", providers.ReadOptions{Offset: 10}, object(416, nil, `<Error><Code>InvalidRange</Code></Error>`), "", providers.Invalid},
		{"OtherRange", part, object(206, map[string]string{"Content-Range": "bytes 0-3/10"}, "0123"), "", providers.Unavailable},
		{"ShorterRange", part, object(206, map[string]string{"Content-Range": "bytes 3-4/10"}, "34"), "", providers.Unavailable},
		{"UnreadableRange", part, object(206, map[string]string{"Content-Range": "bytes */*"}, "3456"), "", providers.Unavailable},
		{"CutBody", providers.ReadOptions{}, object(200, map[string]string{"Content-Length": "10"}, "01234"), "01234", providers.Unavailable},
		{"CutRange", part, object(206, map[string]string{"Content-Range": "bytes 3-6/10", "Content-Length": "4"}, "34"), "34", providers.Unavailable},
		{"RangeShorterThanItSays", part, object(206, map[string]string{"Content-Range": "bytes 3-6/10"}, "34"), "34", providers.Unavailable},
		{"CutWhileSkipping", part, object(200, map[string]string{"Content-Length": "10"}, "01"), "", providers.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := readAll(t.Context(), faulty(t, c.answer), c.opts)
			if got != c.want || providers.KindOf(err) != c.kind {
				t.Errorf("got %q and %v, want %q and %q", got, err, c.want, c.kind)
			}
			var e *providers.Error
			if err != nil && (!errors.As(err, &e) || e.Op != "get" || e.Key != "k") {
				t.Errorf("got %#v", err)
			}
		})
	}
}

func readAll(ctx context.Context, b providers.Bucket, opts providers.ReadOptions) (string, error) {
	r, err := b.Open(ctx, "k", opts)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	return string(data), err
}

func listing(body string) string {
	return `<ListBucketResult><Name>b</Name>` + body + `</ListBucketResult>`
}

func TestListings(t *testing.T) {
	t.Parallel()
	entry := func(key string) string { return `<Contents><Key>` + key + `</Key><Size>1</Size></Contents>` }
	for _, c := range []struct {
		name, body, want string
		kind             providers.Kind
	}{
		{"Encoded", listing(`<EncodingType>url</EncodingType>` + entry("a+b%2Bc%01")), "a b+c\x01", ""},
		{"NotEncoded", listing(entry("a+b%2B")), "a+b%2B", ""},
		{"StartAfterIgnored", listing(entry("A") + entry("B")), "B", ""},
		{"Unordered", listing(entry("b") + entry("a")), "b", providers.Invalid},
		{"Repeated", listing(entry("b") + entry("b")), "b", providers.Invalid},
		{"NoToken", listing(entry("b") + `<IsTruncated>true</IsTruncated>`), "b", providers.Invalid},
		{"BadEncoding", listing(`<EncodingType>url</EncodingType>` + entry("%zz")), "", providers.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := faulty(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.body) })
			var keys []string
			var failed error
			for o, err := range b.List(t.Context(), providers.ListOptions{After: "A"}) {
				if failed = err; err == nil {
					keys = append(keys, o.Key)
				}
			}
			if got := strings.Join(keys, ","); got != c.want || providers.KindOf(failed) != c.kind {
				t.Errorf("got %q and %v, want %q and %q", got, failed, c.want, c.kind)
			}
		})
	}
}

// A server that takes a write with a wrong checksum has stored it: the probe
// says so and removes it.
func TestProbeOfServerThatStores(t *testing.T) {
	t.Parallel()
	var stored, deleted atomic.Value
	b := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPut:
			stored.Store(r.URL.Path)
		case http.MethodDelete:
			deleted.Store(r.URL.Path)
			w.WriteHeader(http.StatusNoContent)
		default:
			_, _ = io.WriteString(w, listing(""))
		}
	})
	checks := checksOf(t, b, tasks.Need{Write: true})
	if c := checks["write"]; c.Status != tasks.CheckWarn || c.Code != "ChecksumIgnored" {
		t.Fatalf("got %+v", c)
	}
	if stored.Load() == nil || stored.Load() != deleted.Load() {
		t.Errorf("stored %v, deleted %v", stored.Load(), deleted.Load())
	}
}

// Everything but a plain refusal or a plain success is not known.
func TestProbeOfOddServer(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]tasks.CheckStatus{
		"400 BadDigest": tasks.CheckOK, "412 PreconditionFailed": tasks.CheckOK, "409 ConditionalRequestConflict": tasks.CheckOK,
		"403 AccessDenied": tasks.CheckFail, "403 InvalidAccessKeyId": tasks.CheckFail, "404 NoSuchBucket": tasks.CheckFail,
		"501 NotImplemented": tasks.CheckUnknown, "400 InvalidRequest": tasks.CheckUnknown, "500 InternalError": tasks.CheckUnknown, "503 SlowDown": tasks.CheckUnknown,
	} {
		var status int
		var code string
		if _, err := fmt.Sscan(answer, &status, &code); err != nil {
			t.Fatal(err)
		}
		b := faulty(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				_, _ = io.WriteString(w, listing(""))
				return
			}
			if r.Method == http.MethodPut && r.Header.Get("If-None-Match") != "*" || r.Method == http.MethodPut && r.Header.Get("Content-Md5") == "" || !strings.HasPrefix(r.URL.Path, "/b/.stevedore-probe-") {
				t.Errorf("probed with %v %v", r.URL, r.Header)
			}
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `<Error><Code>%s</Code><Message>m</Message></Error>`, code)
		})
		if c := checksOf(t, b, tasks.Need{Write: true})["write"]; c.Status != want || c.Code != code && want != tasks.CheckOK {
			t.Errorf("%s: %+v, want %s", answer, c, want)
		}
	}
}
