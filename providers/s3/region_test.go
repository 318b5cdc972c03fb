package s3_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// A wrong region works all the same, and the verification tells the right
// one.
func TestWrongRegion(t *testing.T) {
	t.Parallel()
	server := providertest.S3(t)
	bucket := server.Bucket(t)
	s, secrets := storage(t, server.Endpoint, bucket, server.Root)
	s.Region = "ap-northeast-1"
	for i, size := range []int{1, 0, 9 << 20} { // one request, nothing, and an upload in parts
		b := openStorage(t, s, secrets)
		key := strings.Repeat("k", i+1)
		if _, err := b.Put(t.Context(), key, bytes.NewReader(make([]byte, size)), providers.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		if o, err := openStorage(t, s, secrets).Stat(t.Context(), key); err != nil || o.Size != int64(size) {
			t.Errorf("got %+v, %v", o, err)
		}
	}
	wantCount(t, openStorage(t, s, secrets), 3)
	checks := checksOf(t, openStorage(t, s, secrets), tasks.Need{Read: true})
	if c := checks["region"]; c.Status != tasks.CheckWarn || !strings.Contains(c.Fix, "us-east-1") {
		t.Errorf("got %+v", c)
	}
	if checks["list"].Status != tasks.CheckOK || checks["read"].Status != tasks.CheckOK {
		t.Errorf("got %+v", checks)
	}
}

// AWS redirects with a header and, for HEAD, with nothing else.
func TestRedirectToAnotherRegion(t *testing.T) {
	t.Parallel()
	var wrong atomic.Int64
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amz-Bucket-Region", "eu-west-3")
		switch {
		case r.URL.Host == "pictures.s3.us-west-2.amazonaws.com":
			wrong.Add(1)
			w.WriteHeader(http.StatusMovedPermanently)
		case r.URL.Host != "pictures.s3.eu-west-3.amazonaws.com" || !strings.Contains(r.Header.Get("Authorization"), "/eu-west-3/s3/"):
			t.Errorf("asked %s, signed %s", r.URL.Host, r.Header.Get("Authorization"))
		case r.Method == http.MethodHead:
			w.Header().Set("Content-Length", "3")
			w.Header().Set("ETag", `"e"`)
		default:
			_, _ = io.WriteString(w, listing(""))
		}
	})
	s, secrets := storage(t, "", "pictures", providertest.Keys{AccessKeyID: "AKIA", SecretAccessKey: "top-secret"})
	s.Region = "us-west-2"
	b := openAt(t, handler, s, secrets)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := b.Stat(t.Context(), "k"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	before := wrong.Load()
	wantCount(t, b, 0)
	if wrong.Load() != before {
		t.Error("the region was not remembered")
	}
}

// A server that sends on for ever is asked twice.
func TestRedirectsEnd(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	b := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("X-Amz-Bucket-Region", "eu-"+strings.Repeat("x", int(asked.Load())))
		w.WriteHeader(http.StatusMovedPermanently)
		_, _ = io.WriteString(w, `<Error><Code>PermanentRedirect</Code><Message>m</Message></Error>`)
	})
	_, err := b.Open(t.Context(), "k", providers.ReadOptions{})
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != providers.Invalid || asked.Load() != 2 {
		t.Errorf("asked %d times, got %v", asked.Load(), err)
	}
}

// What a server calls a region must not become another host's name.
func TestRegionIsNoHostName(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Host, ".us-west-2.amazonaws.com") {
			t.Errorf("asked %s", r.URL.Host)
		}
		w.Header().Set("X-Amz-Bucket-Region", "evil.example/#")
		w.WriteHeader(http.StatusMovedPermanently)
	})
	s := tasks.Storage{Provider: "s3", Bucket: "pictures", Region: "us-west-2", Auth: tasks.Auth{Method: tasks.AuthAnonymous}}
	if _, err := openAt(t, handler, s, providers.Secrets{}).Stat(t.Context(), "k"); providers.KindOf(err) != providers.Invalid {
		t.Errorf("got %v", err)
	}
}
