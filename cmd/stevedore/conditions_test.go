package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// serverWithoutConditions stands in front of the S3 emulator. It
// refuses writes with a condition, as Alibaba OSS does, and counts the
// reads of images.
func serverWithoutConditions(t *testing.T, endpoint string) (front string, reads *atomic.Int64) {
	t.Helper()
	at, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = at.Scheme, at.Host, r.In.Host // the host is signed
	}}
	reads = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hasCondition := r.Header.Get("If-None-Match")+r.Header.Get("If-Match") != ""
		switch {
		case hasCondition && r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.WriteHeader(http.StatusNotImplemented)
			_, _ = io.WriteString(w, `<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that is not implemented.</Message></Error>`)
			return
		case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".jpg"):
			reads.Add(1)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, reads
}

// On a server without conditional PUT, the jobs that need it fail
// before they read an image, and the verification fails. With
// unconditional_put all jobs of the demo run, and their results say
// what was done.
func TestFourJobsWithoutConditions(t *testing.T) {
	skipInShort(t)
	t.Parallel()
	store, cfg := s3Connection(t)
	fill(t, cfg, store)
	endpoint, reads := serverWithoutConditions(t, servers.S3(t).Endpoint)
	store.Endpoint = endpoint
	here := startedLocal(t, cfg)

	status := func(j tasks.Job) tasks.Status {
		t.Helper()
		id, err := here.client.Enqueue(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		s, err := here.client.Wait(t.Context(), id, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, j := range []tasks.Job{
		tasks.BuildManifest{Source: store}, tasks.GenerateThumbnails{Source: store},
	} {
		s := status(j)
		if s.State != tasks.StateFailed || s.Failure == nil || s.Failure.Code != "NoConditionalPut" {
			t.Errorf("%s: %+v", j.Kind(), s)
		}
	}
	if n := reads.Load(); n != 0 {
		t.Errorf("%d images were read", n)
	}
	verified, err := here.client.Result(status(tasks.VerifyConnection{Storage: store, Need: tasks.Need{Write: true}}))
	if err != nil {
		t.Fatal(err)
	}
	if r := verified.(tasks.VerifyConnectionResult); r.OK || !strings.Contains(r.Verdict, "write failed (NoConditionalPut)") {
		t.Errorf("got %+v", r)
	}

	store.UnconditionalPut = true
	runAll(t, cfg, store)
	built, err := here.client.Result(status(tasks.BuildManifest{Source: store, Manifest: "second.jsonl"}))
	if err != nil {
		t.Fatal(err)
	}
	if r := built.(tasks.BuildManifestResult); !r.Unconditional {
		t.Errorf("got %+v", r)
	}
}
