package providers_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/mem"
	"github.com/stevedore-jobs/stevedore/providers/mem/memtest"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
)

func TestWithPrefix(t *testing.T) {
	t.Parallel()
	b := providers.WithPrefix(memtest.Bucket(t, "cats/im/1", "cats/im2", "cats/other", "cats0", "dogs/1"), tasks.Storage{Bucket: "b", Prefix: "cats/im"})
	for prefix, want := range map[string][]string{
		"":          {"cats/im/1", "cats/im2"},
		"ca":        {"cats/im/1", "cats/im2"},
		"cats/":     {"cats/im/1", "cats/im2"},
		"cats/im/":  {"cats/im/1"},
		"cats/none": nil,
	} {
		if got, err := providertest.Keys(t.Context(), b, providers.ListOptions{Prefix: prefix}); err != nil || !slices.Equal(got, want) {
			t.Errorf("listing %q: %q, %v; want %q", prefix, got, err, want)
		}
	}
	if got, err := providertest.Keys(t.Context(), b, providers.ListOptions{After: "cats/im/1"}); err != nil || !slices.Equal(got, []string{"cats/im2"}) {
		t.Errorf("after: %q, %v", got, err)
	}
	for key, inside := range map[string]bool{"cats/new": true, "cats/im/deep/new": true, "dogs/1": false, "cats0": false, "cats": false, "": false} {
		for op, err := range each(t, b, key) {
			if refused := providers.KindOf(err) == providers.Invalid; refused == inside {
				t.Errorf("%s %q: %v", op, key, err)
			}
		}
	}
	if _, err := providertest.Keys(t.Context(), b, providers.ListOptions{Prefix: "dogs/"}); providers.KindOf(err) != providers.Invalid {
		t.Errorf("listing dogs: %v", err)
	}
}

// each returns the error of every operation on a key: a put, then the
// others.
func each(t testing.TB, b providers.Bucket, key string) map[string]error {
	t.Helper()
	errs := map[string]error{}
	_, errs["put"] = b.Put(t.Context(), key, strings.NewReader("x"), providers.WriteOptions{})
	_, errs["stat"] = b.Stat(t.Context(), key)
	_, errs["get"] = b.Open(t.Context(), key, providers.ReadOptions{})
	errs["delete"] = b.Delete(t.Context(), key)
	return errs
}

// A bucket in a wrapper keeps every promise of a bucket, and can be
// probed.
func TestWrappersPassTheSuite(t *testing.T) {
	t.Parallel()
	t.Run("WithMeter", func(t *testing.T) {
		t.Parallel()
		providertest.Run(t, func(t testing.TB) providers.Bucket {
			t.Helper()
			return providers.WithMeter(memtest.Bucket(t), &meter{})
		})
	})
	both := providers.WithMeter(providers.WithPrefix(memtest.Bucket(t), tasks.Storage{Bucket: "b", Prefix: "p/"}), &meter{})
	if checks := providers.Probe(t.Context(), both, tasks.Need{Read: true}); len(checks) != 2 || checks[0].Status != tasks.CheckOK {
		t.Errorf("probed: %+v", checks)
	}
	if checks := providers.Diagnose(t.Context(), both); checks != nil {
		t.Errorf("a local bucket has no network: %+v", checks)
	}
	if checks := providers.Preflight(t.Context(), both, tasks.CORS{}); len(checks) != 1 || checks[0].Status != tasks.CheckUnknown {
		t.Errorf("preflight: %+v", checks)
	}
}

type meter struct {
	mu       sync.Mutex
	requests map[string]int // by operation and result, as "get ok"
	bytes    map[string]int64
}

func (m *meter) Request(op string, _ time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.requests == nil {
		m.requests = map[string]int{}
	}
	ended := "ok"
	if err != nil {
		ended = string(providers.KindOf(err))
	}
	m.requests[op+" "+ended]++
}

func (m *meter) Bytes(direction string, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bytes == nil {
		m.bytes = map[string]int64{}
	}
	m.bytes[direction] += n
}

func TestWithMeter(t *testing.T) {
	t.Parallel()
	m := &meter{}
	b := providers.WithMeter(memtest.Bucket(t, "a"), m)
	for range 2 {
		if errs := each(t, b, "k"); errors.Join(errs["put"], errs["get"], errs["delete"]) != nil {
			t.Fatal(errs)
		}
	}
	_, _ = b.Stat(t.Context(), "missing")
	_, _ = providertest.Keys(t.Context(), b, providers.ListOptions{})
	r, err := b.Open(t.Context(), "a", providers.ReadOptions{Length: 3})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]int{"put ok": 2, "stat ok": 2, "stat not-found": 1, "get ok": 3, "delete ok": 2, "list ok": 1} {
		if m.requests[what] != want {
			t.Errorf("%s: %d, want %d", what, m.requests[what], want)
		}
	}
	if m.bytes["out"] != 2 || m.bytes["in"] != 3 {
		t.Errorf("bytes: %v", m.bytes)
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	o := mem.New()
	o.Create("b")
	r := providers.Registry{"mem": o}
	b, err := r.Open(t.Context(), tasks.Storage{Provider: "mem", Bucket: "b"}, providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Stat(t.Context(), "missing"); providers.KindOf(err) != providers.NotFound {
		t.Errorf("got %v", err)
	}
	_, err = r.Open(t.Context(), tasks.Storage{Provider: "gcs", Bucket: "b"}, providers.Secrets{})
	var e *providers.Error
	if !errors.As(err, &e) || e.Kind != providers.Invalid || e.Op != "open" || !strings.Contains(e.Fix, "mem") {
		t.Errorf("got %v", err)
	}
}
