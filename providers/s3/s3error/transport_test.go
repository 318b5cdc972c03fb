package s3error_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/setting"
)

// anonymous makes a storage that is used without credentials.
func anonymous(endpoint string) tasks.Storage {
	return tasks.Storage{
		Provider: "s3", Bucket: "b", Endpoint: endpoint,
		Auth: tasks.Auth{Method: tasks.AuthAnonymous},
	}
}

func TestConnectionErrors(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: -short runs no test of more than three seconds")
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	dropping := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	}))
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
		b := s3test.OpenAt(t, c.endpoint, "b", s3test.Keys())
		_, err := b.Open(t.Context(), "k", providers.ReadOptions{})
		var e *providers.Error
		if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Advice(), c.advice) ||
			strings.Contains(err.Error(), "operation error") {
			t.Errorf("%s: got %v, kind %s, advice %q", c.endpoint, err, providers.KindOf(err), e.Advice())
		}
	}
}

// A call that no other attempt can cure fails after the first one,
// however many are allowed.
func TestHopelessCallsAreNotRepeated(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for _, endpoint := range []string{secure.URL, "https" + strings.TrimPrefix(plain.URL, "http")} {
		var requests atomic.Int64
		client := &http.Client{Transport: countingTransport{&requests}}
		b := s3test.Open(t, &s3.Opener{Client: client, Attempts: 6}, anonymous(endpoint), providers.Secrets{})
		_, err := b.Open(t.Context(), "k", providers.ReadOptions{})
		if providers.KindOf(err) != providers.Invalid || requests.Load() != 1 {
			t.Errorf("%s: %d requests, got %v", endpoint, requests.Load(), err)
		}
	}
}

type countingTransport struct{ requests *atomic.Int64 }

func (c countingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return http.DefaultTransport.RoundTrip(r)
}

// A region or bucket of which the SDK can make no address is not tried
// again either. Payloads with such a region are not even accepted.
func TestStorageWithoutAddress(t *testing.T) {
	t.Parallel()
	s := anonymous("")
	s.Region = "US East (Ohio)"
	b, err := (&s3.Opener{Client: http.DefaultClient}).Open(t.Context(), s, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Stat(t.Context(), "k")
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != providers.Invalid || !strings.Contains(e.Fix, "region") {
		t.Errorf("got %v", err)
	}
}

func TestBlockedByEgress(t *testing.T) {
	t.Parallel()
	o := &s3.Opener{Client: egress.Policy{}.Client()}
	b := s3test.Open(t, o, anonymous("http://127.0.0.1:1"), providers.Secrets{})
	_, err := b.Stat(t.Context(), "k")
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != providers.Blocked ||
		!strings.Contains(e.Advice(), setting.EgressAllow.String()) || !strings.Contains(e.Error(), "127.0.0.1") {
		t.Errorf("got %v with advice %q", err, e.Advice())
	}
	var blocked *egress.BlockedError
	if !errors.As(err, &blocked) {
		t.Error("the typed error is lost")
	}
}

// People paste credentials, and odd characters with them.
func TestControlCharacterInAccessKey(t *testing.T) {
	t.Parallel()
	keys := s3test.Keys()
	keys.AccessKeyID = "AK\x01IA"
	b := s3test.OpenAt(t, "http://127.0.0.1:1", "b", keys)
	_, err := b.Stat(t.Context(), "k")
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != providers.Invalid || !strings.Contains(e.Fix, "line breaks") {
		t.Errorf("got %#v", err)
	}
}

// The end of the caller's deadline is reported as such. The timeout of
// a connection keeps its own text.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		<-release
	}))
	defer server.Close()
	defer close(release)
	s := anonymous(server.URL)

	transport := &http.Transport{ResponseHeaderTimeout: 20 * time.Millisecond}
	defer transport.CloseIdleConnections()
	o := &s3.Opener{Client: &http.Client{Transport: transport}, Attempts: 1}
	_, err := s3test.Open(t, o, s, providers.Secrets{}).Stat(t.Context(), "k")
	if providers.KindOf(err) != providers.Unavailable || !strings.Contains(err.Error(), "awaiting response headers") {
		t.Errorf("a slow server: %v", err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = s3test.Open(t, &s3.Opener{}, s, providers.Secrets{}).Stat(ctx, "k")
	if !providers.IsContext(ctx, err) || !strings.HasSuffix(err.Error(), "context deadline exceeded") {
		t.Errorf("the caller's deadline: %v", err)
	}
}
