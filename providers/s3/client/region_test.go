package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// openWithoutRegion opens a bucket of AWS whose region must be found
// out.
func openWithoutRegion(t *testing.T, handler http.HandlerFunc) providers.Bucket {
	t.Helper()
	s := tasks.Storage{
		Provider: "s3", Bucket: "pictures", Auth: tasks.Auth{Method: tasks.AuthAnonymous},
	}
	o := &s3.Opener{Client: providertest.Client(handler), Attempts: 1}
	return s3test.Open(t, o, s, providers.Secrets{})
}

func TestRegionIsFound(t *testing.T) {
	t.Parallel()
	for _, status := range []int{
		http.StatusOK, http.StatusMovedPermanently, http.StatusForbidden, http.StatusBadRequest,
	} {
		var questions atomic.Int64
		b := openWithoutRegion(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead && r.URL.Path == "/pictures" {
				questions.Add(1)
				if r.Header.Get("Authorization") != "" {
					t.Error("the question for the region was signed")
				}
				w.Header().Set("X-Amz-Bucket-Region", "eu-central-1")
				w.WriteHeader(status)
				return
			}
			if r.URL.Host != "pictures.s3.eu-central-1.amazonaws.com" {
				t.Errorf("the request went to %s", r.URL.Host)
			}
			_, _ = io.WriteString(w, s3test.Listing(""))
		})
		for range 2 {
			for _, err := range b.List(t.Context(), providers.ListOptions{}) {
				t.Error(err)
			}
		}
		if questions.Load() != 1 {
			t.Errorf("asked %d times for the region", questions.Load())
		}
	}
}

// Concurrent operations share one question for the region. An operation
// stops waiting for the answer when its context ends.
func TestRegionIsAskedOnce(t *testing.T) {
	t.Parallel()
	var questions atomic.Int64
	asked, release := make(chan bool, 1), make(chan bool)
	b := openWithoutRegion(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/pictures" {
			questions.Add(1)
			asked <- true
			<-release
			w.Header().Set("X-Amz-Bucket-Region", "eu-central-1")
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	var wg sync.WaitGroup
	remove := func() {
		if err := b.Delete(t.Context(), "k"); err != nil {
			t.Error(err)
		}
	}
	wg.Go(remove)
	<-asked

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Delete(ctx, "k"); !providers.IsContext(ctx, err) {
		t.Errorf("got %v", err)
	}
	for range 4 {
		wg.Go(remove)
	}
	close(release)
	wg.Wait()
	if questions.Load() != 1 {
		t.Errorf("asked %d times for the region", questions.Load())
	}
}

func TestRegionIsNotFound(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]providers.Kind{
		404: providers.NotFound, 503: providers.Throttled, 400: providers.Invalid,
	} {
		b := openWithoutRegion(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		_, err := b.Stat(t.Context(), "k")
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != kind || e.Op != "stat" || !strings.Contains(e.Advice(), "region") {
			t.Errorf("%d: got %v with advice %q", status, err, e.Advice())
		}
	}
}

// With a wrong region in the payload all operations work, and the
// verification names the right one.
func TestWrongRegion(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	s, secrets := s3test.Storage(t, server.Endpoint, server.Bucket(t), server.Root)
	s.Region = "ap-northeast-1"
	openNew := func() providers.Bucket { return s3test.Open(t, &s3.Opener{}, s, secrets) }

	for i, size := range []int{1, 0, 9 << 20} { // the last is an upload in parts
		key, body := strings.Repeat("k", i+1), bytes.NewReader(make([]byte, size))
		if _, err := openNew().Put(t.Context(), key, body, providers.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		if o, err := openNew().Stat(t.Context(), key); err != nil || o.Size != int64(size) {
			t.Errorf("got %+v, %v", o, err)
		}
	}
	s3test.CheckCount(t, openNew(), 3)

	checks := s3test.Probe(t, openNew(), tasks.Need{Read: true})
	if c := checks["region"]; c.Status != tasks.CheckWarn || !strings.Contains(c.Fix, "us-east-1") {
		t.Errorf("got %+v", c)
	}
	if checks["list"].Status != tasks.CheckOK || checks["read"].Status != tasks.CheckOK {
		t.Errorf("got %+v", checks)
	}
}

// AWS redirects by a header. The answer to a HEAD has nothing else.
func TestRedirectToAnotherRegion(t *testing.T) {
	t.Parallel()
	var redirects atomic.Int64
	handler := func(w http.ResponseWriter, r *http.Request) {
		signature := r.Header.Get("Authorization")
		w.Header().Set("X-Amz-Bucket-Region", "eu-west-3")
		switch {
		case r.URL.Host == "pictures.s3.us-west-2.amazonaws.com":
			redirects.Add(1)
			w.WriteHeader(http.StatusMovedPermanently)
		case r.URL.Host != "pictures.s3.eu-west-3.amazonaws.com", !strings.Contains(signature, "/eu-west-3/s3/"):
			t.Errorf("the request went to %s, signed %s", r.URL.Host, signature)
		case r.Method == http.MethodHead:
			w.Header().Set("Content-Length", "3")
			w.Header().Set("ETag", `"e"`)
		default:
			_, _ = io.WriteString(w, s3test.Listing(""))
		}
	}
	s, secrets := s3test.Storage(t, "", "pictures", s3test.Keys())
	s.Region = "us-west-2"
	b := s3test.OpenVia(t, http.HandlerFunc(handler), s, secrets)

	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := b.Stat(t.Context(), "k"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	before := redirects.Load()
	s3test.CheckCount(t, b, 0)
	if redirects.Load() != before {
		t.Error("the region was not remembered")
	}
}

// A call follows one redirect, so that a server cannot redirect it for
// ever.
func TestRedirectsEnd(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	b := s3test.OpenHandler(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.Header().Set("X-Amz-Bucket-Region", "eu-"+strings.Repeat("x", int(requests.Load())))
		s3test.WriteError(w, http.StatusMovedPermanently, "PermanentRedirect", "m")
	})
	_, err := b.Open(t.Context(), "k", providers.ReadOptions{})
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != providers.Invalid || requests.Load() != 2 {
		t.Errorf("%d requests, got %v", requests.Load(), err)
	}
}

// A server cannot put another host name into URLs by calling it a
// region.
func TestRegionIsNoHostName(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Host, ".us-west-2.amazonaws.com") {
			t.Errorf("the request went to %s", r.URL.Host)
		}
		w.Header().Set("X-Amz-Bucket-Region", "evil.example/#")
		w.WriteHeader(http.StatusMovedPermanently)
	})
	s := tasks.Storage{
		Provider: "s3", Bucket: "pictures", Region: "us-west-2",
		Auth: tasks.Auth{Method: tasks.AuthAnonymous},
	}
	b := s3test.OpenVia(t, handler, s, providers.Secrets{})
	if _, err := b.Stat(t.Context(), "k"); providers.KindOf(err) != providers.Invalid {
		t.Errorf("got %v", err)
	}
}

// Every first operation follows a redirect, HEAD included, whose answer
// has only headers. Later operations go to the right region at once.
func TestEmulatedRedirect(t *testing.T) {
	t.Parallel()
	server := servers.S3(t)
	bucket := s3test.BucketWithObject(t, server, s3test.Content)
	s, secrets := s3test.Storage(t, server.Endpoint, bucket, server.Root)
	s.Region = "eu-west-3"
	openNew := func() providers.Bucket { return s3test.Open(t, &s3.Opener{}, s, secrets) }
	redirect := servers.S3Fault{Name: "Redirect", Bucket: bucket}
	happened := server.Fault(t, redirect)

	if _, err := openNew().Stat(t.Context(), "k"); err != nil {
		t.Errorf("stat: %v", err)
	}
	before := happened()
	for op, err := range providertest.Operations(t.Context(), openNew()) {
		if err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
	if n := happened() - before; n != 1 {
		t.Errorf("redirected %d times: the region was not remembered", n)
	}

	server.Fault(t, redirect)
	checks := s3test.Probe(t, openNew(), tasks.Need{})
	region, list := checks["region"], checks["list"]
	if region.Status != tasks.CheckWarn || !strings.Contains(region.Fix, "us-east-1") || list.Status != tasks.CheckOK {
		t.Errorf("got %+v", checks)
	}
}
