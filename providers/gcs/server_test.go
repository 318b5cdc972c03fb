package gcs_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/gcs"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/providers/providertest/servers"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// If a server ends a body early, the SDK asks for the rest. If it does
// not get that, the read fails.
func TestShortBodies(t *testing.T) {
	t.Parallel()
	const content = "0123456789"
	for _, c := range []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request)
	}{
		{"Once", func(w http.ResponseWriter, r *http.Request) {
			first := 0
			if n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &first); n == 1 {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-9/10", first))
				w.WriteHeader(http.StatusPartialContent)
			} else {
				w.Header().Set("Content-Length", "10")
			}
			_, _ = io.WriteString(w, content[first:min(first+6, 10)])
		}},
		{"Always", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, content[:6])
		}},
		{"Replaced", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, inJSON(404, "notFound", "No such object: b/k"))
				return
			}
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, content[:6])
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := openAt(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Goog-Generation", "1700000000000000")
				c.answer(w, r)
			})
			r, err := b.Open(t.Context(), "k", providers.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			switch c.name {
			case "Once":
				if err != nil || string(data) != content {
					t.Errorf("got %q, %v", data, err)
				}
			case "Always":
				if providers.KindOf(err) != providers.Unavailable || string(data) != content[:6] {
					t.Errorf("got %q, %v", data, err)
				}
			case "Replaced":
				if e := wantError(t, err, providers.Conflict, "notFound"); !strings.Contains(e.Detail, "while it was read") {
					t.Errorf("got %v", e)
				}
			}
		})
	}
}

// A server that answers with another range than it was asked for causes
// an error, never wrong bytes.
func TestWrongRanges(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(w http.ResponseWriter){
		"Ignored": func(w http.ResponseWriter) { _, _ = io.WriteString(w, "0123456789") },
		"Other": func(w http.ResponseWriter) {
			w.Header().Set("Content-Range", "bytes 5-6/10")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, "56")
		},
		"NoGeneration": func(w http.ResponseWriter) {
			w.Header().Del("X-Goog-Generation")
			w.Header().Set("Content-Range", "bytes 3-4/10")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, "34")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openAt(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Goog-Generation", "1700000000000000")
				answer(w)
			})
			_, err := b.Open(t.Context(), "k", providers.ReadOptions{Offset: 3, Length: 2})
			var e *providers.Error
			if !errors.As(err, &e) || e.Code != "WrongAnswer" && e.Code != "NotGCS" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Uploads are repeated as often as all other requests. By itself the SDK
// would repeat them until the context ends.
func TestAttempts(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2 << 20} {
		var requests atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, inJSON(503, "backendError", "Backend Error"))
		}))
		t.Cleanup(server.Close)
		b := open(t, &gcs.Opener{Client: guarded(t), Attempts: 2}, anonymous(server.URL, "b"), providers.Secrets{})
		if e := wantError(t, putSize(t, b, size), providers.Unavailable, "backendError"); requests.Load() != 2 {
			t.Errorf("%d bytes: %d requests, want 2: %v", size, requests.Load(), e)
		}
	}
}

// A server can answer with the token that it was sent. Errors are logged,
// so they must not hold it.
func TestErrorsHideTokens(t *testing.T) {
	t.Parallel()
	server := servers.GCS(t)
	key := server.Account(t, servers.GCSAccount{})
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Guploader-Uploadid", r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, inJSON(403, "forbidden", "you sent "+r.Header.Get("Authorization")))
	}))
	t.Cleanup(echo.Close)
	s, secrets := storage(t, echo.URL, "b", key.JSON)
	for op, err := range providertest.Operations(t.Context(), open(t, opener(t, server), s, secrets)) {
		if e := wantError(t, err, providers.Denied, "forbidden"); strings.Contains(e.Error()+e.Advice()+e.RequestID, "ya29.") || !strings.Contains(e.Error(), "[redacted]") {
			t.Errorf("%s: %v", op, e)
		}
	}
}

// The cause of an error can repeat the token too.
func TestCausesHideTokens(t *testing.T) {
	t.Parallel()
	server := servers.GCS(t)
	key := server.Account(t, servers.GCSAccount{})
	s, secrets := storage(t, providertest.EchoServer(t, "Authorization"), "b", key.JSON)
	for op, err := range providertest.Operations(t.Context(), open(t, opener(t, server), s, secrets)) {
		e := wantError(t, err, providers.Invalid, "")
		if text := fmt.Sprintf("%v %v", e, e.Err); strings.Contains(text, "ya29.") || !strings.Contains(text, "[redacted]") {
			t.Errorf("%s: %s", op, text)
		}
	}
}

// An object that was stored compressed is read without decompression: its
// size and its ranges are those of the stored bytes.
func TestCompressedObjects(t *testing.T) {
	t.Parallel()
	var stored bytes.Buffer
	z := gzip.NewWriter(&stored)
	_, _ = io.WriteString(z, strings.Repeat("x", 1000))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	b := openAt(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Error("the server may decompress the object")
		}
		w.Header().Set("X-Goog-Generation", "1700000000000000")
		w.Header().Set("X-Goog-Stored-Content-Encoding", "gzip")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(stored.Bytes())
	})
	r, err := b.Open(t.Context(), "k", providers.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if data, err := io.ReadAll(r); err != nil || !bytes.Equal(data, stored.Bytes()) || r.Object.Size != int64(stored.Len()) {
		t.Errorf("read %d bytes of %+v, error %v", len(data), r.Object, err)
	}
}

// A listing must be in the order of keys and begin where it was asked to.
// Otherwise it ends with an error.
func TestListingsOutOfOrder(t *testing.T) {
	t.Parallel()
	page := func(keys ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			var items []map[string]string
			for _, key := range keys {
				items = append(items, map[string]string{"name": key, "size": "1", "generation": "1"})
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"kind": "storage#objects", "items": items})
		}
	}
	for _, c := range []struct {
		opts providers.ListOptions
		keys []string
		code string
		want int // objects before the error
	}{
		{providers.ListOptions{}, []string{"b", "a"}, "UnorderedListing", 1},
		{providers.ListOptions{}, []string{"a", "a"}, "UnorderedListing", 1},
		{providers.ListOptions{After: "b"}, []string{"a", "b", "c"}, "", 1},
		{providers.ListOptions{After: "b", Direct: true}, []string{"b", "c"}, "", 1},
		{providers.ListOptions{After: "b", Direct: true}, []string{"a", "b", "c"}, "StartIgnored", 0},
	} {
		var got int
		var code string
		for _, err := range openAt(t, page(c.keys...)).List(t.Context(), c.opts) {
			var e *providers.Error
			if errors.As(err, &e) {
				code = e.Code
				continue
			}
			got++
		}
		if got != c.want || code != c.code {
			t.Errorf("%+v of %q: %d objects and %q, want %d and %q", c.opts, c.keys, got, code, c.want, c.code)
		}
	}
}

// The role Storage Object Creator may store objects but not replace them.
// The advice must not say that the right to write is missing.
func TestReplacingNeedsDelete(t *testing.T) {
	t.Parallel()
	server := servers.GCS(t)
	key := server.Account(t, servers.GCSAccount{})
	b := openAs(t, server, server.Bucket(t, servers.GCSBucket{Grants: map[string][]string{key.Email: {mayCreate}}}), key)
	for i, size := range []int{1, 2, 2 << 20} {
		err := putSize(t, b, size)
		if i == 0 {
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		if e := wantError(t, err, providers.Denied, "forbidden"); !strings.Contains(e.Fix, "Replacing an object needs storage.objects.delete") {
			t.Errorf("fix %q", e.Fix)
		}
	}
}

// If a server stores the probe's object in spite of its wrong checksum,
// the check says so and removes the object.
func TestProbe_ServerIgnoresChecksums(t *testing.T) {
	t.Parallel()
	var stored, removed atomic.Int64
	b := openAt(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "testPermissions"):
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodDelete:
			removed.Add(1)
			w.WriteHeader(http.StatusNoContent)
		case r.Method == http.MethodPost:
			stored.Add(1)
			_, _ = io.WriteString(w, `{"name":"k","generation":"1700000000000000"}`)
		default:
			_, _ = io.WriteString(w, `{"kind":"storage#objects"}`)
		}
	})
	checks := providers.Probe(t.Context(), b, tasks.Need{Write: true})
	for _, c := range checks {
		if c.ID == "write" && (c.Status != tasks.CheckWarn || c.Code != "ChecksumIgnored" || !strings.Contains(c.Evidence, "removed it again")) {
			t.Errorf("got %+v", c)
		}
	}
	if stored.Load() != 1 || removed.Load() != 1 {
		t.Errorf("stored %d, removed %d of %+v", stored.Load(), removed.Load(), checks)
	}
}

// When the context ends, the SDK does not repeat a request any more.
func TestContextEndsRetries(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	b := openAt(t, func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	if _, err := b.Stat(ctx, "k"); providers.KindOf(err) != providers.Unavailable {
		t.Errorf("got %v", err)
	}
}
