package network_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/mem/memtest"
	"github.com/stevedore-jobs/stevedore/providers/network"
	"github.com/stevedore-jobs/stevedore/providers/pacer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// cloud opens one bucket.
type cloud struct{ bucket providers.Bucket }

func (c cloud) Open(context.Context, tasks.Storage, providers.Secrets) (providers.Bucket, error) {
	return c.bucket, nil
}

// located is a bucket that says where it is. It throttles the first
// Stat of each key, and counts its listings.
type located struct {
	providers.Bucket
	endpoint string
	stats    sync.Map
	lists    atomic.Int64
}

var _ providers.Located = (*located)(nil)

func (l *located) Unwrap() providers.Bucket { return l.Bucket }

func (l *located) Endpoint() string { return l.endpoint }

func (l *located) SignIn() providers.SignIn { return providers.SignIn{} }

func (l *located) CORSTarget() string { return l.endpoint + "/b/k" }

func (l *located) CORSAdvice(want tasks.CORS) string { return "Advice for " + want.Origin + "." }

func (l *located) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	l.lists.Add(1)
	return l.Bucket.List(ctx, opts)
}

func (l *located) Stat(ctx context.Context, key string) (providers.Object, error) {
	if _, again := l.stats.LoadOrStore(key, true); !again {
		return providers.Object{}, &providers.Error{Op: "stat", Bucket: "b", Key: key, Kind: providers.Throttled}
	}
	return l.Bucket.Stat(ctx, key)
}

// requests is a meter that counts requests.
type requests struct {
	mu    sync.Mutex
	count map[string]int
}

func (r *requests) Request(op string, _ time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count[op+" "+string(providers.KindOf(err))]++
}

func (r *requests) Bytes(string, int64) {}

// store makes a bucket in memory with n objects below "in/" and one
// outside.
func store(t *testing.T, n int) providers.Bucket {
	t.Helper()
	keys := []string{"out"}
	for i := range n {
		keys = append(keys, fmt.Sprintf("in/%06d", i))
	}
	return memtest.Bucket(t, keys...)
}

func count(t *testing.T, b providers.Bucket) (n int) {
	t.Helper()
	for _, err := range b.List(t.Context(), providers.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func loopback() egress.Policy {
	return egress.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
}

func TestStack_WrapsACloud(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	inner := store(t, 8000)
	at := &located{Bucket: inner, endpoint: server.URL}
	s := network.Stack{
		Providers: providers.Registry{"cloud": cloud{at}}, Network: network.New(loopback()),
		ListStreams: 4, Pacer: pacer.New(8),
	}
	m := &requests{count: map[string]int{}}
	storage := tasks.Storage{Provider: "cloud", Bucket: "b", Prefix: "in/"}
	b, err := s.Open(t.Context(), storage, providers.Secrets{}, m)
	if err != nil {
		t.Fatal(err)
	}

	if n := count(t, b); n != 8000 || at.lists.Load() < 2 {
		t.Errorf("%d objects in %d listings, want all of the prefix in several", n, at.lists.Load())
	}
	if _, err := b.Stat(t.Context(), "in/000001"); err != nil {
		t.Errorf("a throttled request was not tried again: %v", err)
	}
	if m.count["stat throttled"] != 1 || m.count["stat "] != 1 || m.count["list "] != 1 {
		t.Errorf("the meter counted %v, want each try and one listing", m.count)
	}
	if _, err := b.Stat(t.Context(), "out"); providers.KindOf(err) != providers.Invalid {
		t.Errorf("a key outside of the prefix: %v", err)
	}
	if limits := s.Pacer.Limits(); len(limits) != 1 || limits[storage.ID()] == 0 {
		t.Errorf("paced under %v", limits)
	}
}

// The checks of the cloud and of the network are found through all
// wrappers.
func TestStack_ChecksTheNetwork(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	inner := store(t, 1)
	s := network.Stack{
		Providers: providers.Registry{"cloud": cloud{&located{Bucket: inner, endpoint: server.URL}}},
		Network:   network.New(loopback()), ListStreams: 4, Pacer: pacer.New(8),
	}
	b, err := s.Open(t.Context(), tasks.Storage{Provider: "cloud", Bucket: "b", Prefix: "in/"}, providers.Secrets{}, &requests{count: map[string]int{}})
	if err != nil {
		t.Fatal(err)
	}

	if checks := providers.Diagnose(t.Context(), b); len(checks) != 5 || checks[2].ID != "connect" || checks[2].Status != tasks.CheckOK {
		t.Errorf("diagnosed: %+v", checks)
	}
	checks := providers.Preflight(t.Context(), b, tasks.CORS{Origin: "https://app.example"})
	if len(checks) != 1 || checks[0].Status != tasks.CheckFail || !strings.Contains(checks[0].Fix, "Advice for https://app.example.") {
		t.Errorf("preflight: %+v", checks)
	}
	if checks := providers.Probe(t.Context(), b, tasks.Need{Read: true}); len(checks) != 2 {
		t.Errorf("probed: %+v", checks)
	}
}

// A bucket that is not Located is listed in one stream, and unknown
// checks say what could not be checked.
func TestStack_WithoutANetwork(t *testing.T) {
	t.Parallel()
	inner := store(t, 8000)
	bare := struct{ providers.Bucket }{inner} // without the optional interfaces
	at := &located{Bucket: bare, endpoint: "https://cloud.example"}
	s := network.Stack{Providers: providers.Registry{"mem": cloud{inner}, "cloud": cloud{at}}}
	for provider, want := range map[string][]tasks.CheckStatus{"mem": nil, "cloud": {tasks.CheckUnknown}} {
		b, err := s.Open(t.Context(), tasks.Storage{Provider: provider, Bucket: "b"}, providers.Secrets{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []tasks.CheckStatus
		for _, c := range providers.Diagnose(t.Context(), b) {
			got = append(got, c.Status)
		}
		if n := count(t, b); n != 8001 || !slices.Equal(got, want) {
			t.Errorf("%s: %d objects, checks %v, want %v", provider, n, got, want)
		}
	}
	if n := at.lists.Load(); n != 1 {
		t.Errorf("%d listings, want 1", n)
	}
	if _, err := s.Open(t.Context(), tasks.Storage{Provider: "none"}, providers.Secrets{}, nil); providers.KindOf(err) != providers.Invalid {
		t.Errorf("got %v", err)
	}
}
