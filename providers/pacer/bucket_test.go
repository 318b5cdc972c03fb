package pacer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/mem/memtest"
	"github.com/stevedore-jobs/stevedore/providers/pacer"
	"github.com/stevedore-jobs/stevedore/providers/providertest"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// crowded answers a request after a while. It throttles requests if
// there are more than capacity at once.
type crowded struct {
	providers.Bucket
	capacity           atomic.Int64
	inFlight           atomic.Int64
	answered, rejected atomic.Int64
}

const latency = 50 * time.Millisecond

func (c *crowded) Stat(ctx context.Context, key string) (providers.Object, error) {
	defer c.inFlight.Add(-1)
	if c.inFlight.Add(1) > c.capacity.Load() {
		pass(latency / 5)
		c.rejected.Add(1)
		return providers.Object{}, throttled("stat", key, 0)
	}
	pass(latency)
	c.answered.Add(1)
	return c.Bucket.Stat(ctx, key)
}

func throttled(op, key string, after time.Duration) *providers.Error {
	return &providers.Error{Op: op, Bucket: "b", Key: key, Kind: providers.Throttled, Code: "SlowDown", Status: 503, RetryAfter: after}
}

// pass lets time pass on the clock of synctest.
func pass(d time.Duration) { <-time.After(d) }

// crowd requests an object without pause, in many goroutines, until
// the returned function is called.
func crowd(t *testing.T, b providers.Bucket, goroutines int) (stop func()) {
	t.Helper()
	var stopped atomic.Bool
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for !stopped.Load() {
				if _, err := b.Stat(t.Context(), "k"); err != nil {
					t.Errorf("not answered in spite of retries: %v", err)
					return
				}
			}
		})
	}
	return func() { stopped.Store(true); group.Wait() }
}

func TestPacer_FindsTheCapacity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud := &crowded{Bucket: memtest.Bucket(t, "k")}
		cloud.capacity.Store(8)
		p := pacer.New(64)
		stop := crowd(t, pacer.WithPacer(cloud, p, "b"), 64)
		pass(5 * time.Second)
		if n := p.Limits()["b"]; n > 8 {
			t.Errorf("%d in flight after 5 seconds", n)
		}
		cloud.answered.Store(0)
		cloud.rejected.Store(0)
		pass(time.Minute)
		answered, rejected := cloud.answered.Load(), cloud.rejected.Load()
		if possible := 8 * int64(time.Minute/latency); answered < possible*6/10 || rejected > answered/50 {
			t.Errorf("%d answered of %d possible, %d rejected", answered, possible, rejected)
		}
		cloud.capacity.Store(1000)
		pass(70 * time.Second)
		if n := p.Limits()["b"]; n != 64 {
			t.Errorf("%d in flight a minute after the throttling ended", n)
		}
		stop()
	})
}

// A limit that is not used up says nothing about the capacity of the
// bucket, so it stays.
func TestPacer_RisesOnlyAsUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud := &crowded{Bucket: memtest.Bucket(t, "k")}
		cloud.capacity.Store(4)
		p := pacer.New(64)
		stop := crowd(t, pacer.WithPacer(cloud, p, "b"), 64)
		pass(10 * time.Second)
		stop()
		cloud.capacity.Store(1000)
		before := p.Limits()["b"]
		stop = crowd(t, pacer.WithPacer(cloud, p, "b"), 1)
		pass(time.Minute)
		stop()
		if after := p.Limits()["b"]; before < 2 || after != before {
			t.Errorf("%d became %d although one goroutine used it", before, after)
		}
	})
}

// stalling answers when something is sent to answer.
type stalling struct {
	providers.Bucket
	mu     sync.Mutex
	asked  []string
	answer chan struct{}
}

func (s *stalling) Stat(ctx context.Context, key string) (providers.Object, error) {
	s.mu.Lock()
	s.asked = append(s.asked, key)
	s.mu.Unlock()
	<-s.answer
	return providers.Object{}, ctx.Err()
}

// First come, first served: jobs that use one bucket share it fairly.
// A request that gives up leaves the queue.
func TestPacer_IsFair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, p := &stalling{answer: make(chan struct{})}, pacer.New(1)
		jobs := []providers.Bucket{pacer.WithPacer(cloud, p, "b"), pacer.WithPacer(cloud, p, "b")}
		var group sync.WaitGroup
		var want []string
		for i := range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			group.Go(func() { _, _ = jobs[i%2].Stat(ctx, fmt.Sprint(i)) })
			synctest.Wait() // it is in the queue
			if i%5 == 4 {
				cancel()
				synctest.Wait()
				continue
			}
			defer cancel()
			want = append(want, fmt.Sprint(i))
		}
		for range want {
			cloud.answer <- struct{}{}
			synctest.Wait()
		}
		group.Wait()
		if !slices.Equal(cloud.asked, want) {
			t.Errorf("served %q, want %q", cloud.asked, want)
		}
		go func() { _ = ask(t.Context(), pacer.WithPacer(cloud, p, "another"), "stat") }()
		synctest.Wait()
		if len(cloud.asked) != len(want)+1 {
			t.Error("another bucket waits for this one")
		}
		close(cloud.answer)
	})
}

// A caller that reads an object may need other requests meanwhile,
// even if only one is allowed at a time.
func TestPacer_DoesNotDeadlock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := pacer.WithPacer(memtest.Bucket(t, "k"), pacer.New(1), "b")
		r, err := b.Open(t.Context(), "k", providers.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := ask(t.Context(), b, "stat"); err != nil {
			t.Fatal(err)
		}
		from, to := io.Pipe()
		go func() { // the body of a put comes from the same bucket
			_, _ = b.Stat(t.Context(), "k")
			_, err := io.Copy(to, r)
			to.CloseWithError(err)
		}()
		if o, err := b.Put(t.Context(), "copy", from, providers.WriteOptions{}); err != nil || o.Size != int64(len("at k")) {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

// slowPut needs some time to store an object.
type slowPut struct{ providers.Bucket }

func (s slowPut) Put(ctx context.Context, key string, body io.Reader, opts providers.WriteOptions) (providers.Object, error) {
	o, err := s.Bucket.Put(ctx, key, body, opts)
	pass(latency)
	return o, err
}

func TestPacer_HoldsUploadsFromMemory(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body func() io.Reader
		want time.Duration
	}{
		"from memory": {func() io.Reader { return strings.NewReader("x") }, 3 * latency},
		"a stream":    {func() io.Reader { return io.MultiReader(strings.NewReader("x")) }, latency},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, start := pacer.WithPacer(slowPut{memtest.Bucket(t)}, pacer.New(1), "b"), time.Now()
				var group sync.WaitGroup
				for i := range 3 {
					group.Go(func() { _, _ = b.Put(t.Context(), fmt.Sprint(i), c.body(), providers.WriteOptions{}) })
				}
				group.Wait()
				if took := time.Since(start); took != c.want {
					t.Errorf("3 took %v, want %v", took, c.want)
				}
			})
		})
	}
}

// halfListed is throttled in the middle of a listing.
type halfListed struct{ providers.Bucket }

func (h halfListed) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	return func(yield func(providers.Object, error) bool) {
		for o, err := range h.Bucket.List(ctx, opts) {
			if !yield(o, err) {
				return
			}
		}
		yield(providers.Object{}, throttled("list", "", 0))
	}
}

func TestPacer_LearnsFromListings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := pacer.New(8)
		b := pacer.WithPacer(halfListed{memtest.Bucket(t, "a")}, p, "b")
		var keys []string
		var failed error
		for o, err := range b.List(t.Context(), providers.ListOptions{}) {
			if failed = err; err == nil {
				keys = append(keys, o.Key)
			}
		}
		if !errors.Is(failed, providers.Throttled) || !slices.Equal(keys, []string{"a"}) {
			t.Errorf("%q, %v", keys, failed)
		}
		if n := p.Limits()["b"]; n != 4 {
			t.Errorf("%d in flight after a listing was throttled", n)
		}
	})
}

func TestPacer_PassesTheSuite(t *testing.T) {
	t.Parallel()
	providertest.Run(t, func(t testing.TB) providers.Bucket {
		t.Helper()
		return pacer.WithPacer(memtest.Bucket(t), pacer.New(2), "b")
	})
	b := pacer.WithPacer(memtest.Bucket(t), pacer.New(1), "b")
	if checks := providers.Probe(t.Context(), b, tasks.Need{Read: true}); len(checks) != 2 {
		t.Errorf("probed: %+v", checks)
	}
}
