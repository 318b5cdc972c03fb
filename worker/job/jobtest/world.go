// Package jobtest runs jobs in tests as the engine would, on buckets in
// memory that watch what is done to them and fail where a test wants it.
//
// It knows the contract of worker/job and no job by name. Only tests import
// it.
package jobtest

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/mem"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Bucket is the name of the bucket that every World has.
const Bucket = "images"

// World is buckets in memory. It may be used by many goroutines at once.
type World struct {
	// Fail, when set, is asked before every operation (open, list, get, put,
	// stat, delete); its error is what happens.
	Fail func(op, key string) error

	opener *mem.Opener
	mu     sync.Mutex
	ops    []string
}

// New makes a world with an empty Bucket and the other buckets named.
func New(buckets ...string) *World {
	w := &World{opener: mem.New()}
	for _, name := range append(buckets, Bucket) {
		w.opener.Create(name)
	}
	return w
}

// Source is a storage of Bucket with a prefix, which may be empty.
func Source(prefix string) tasks.Storage {
	return tasks.Storage{Provider: "mem", Bucket: Bucket, Prefix: prefix}
}

// Env is what the engine gives to a run of a single job, with a progress of
// its own.
func (w *World) Env() job.Env {
	return job.Env{
		ID: "test", Log: slog.New(slog.DiscardHandler), Progress: new(job.Progress), Parallel: 4, Open: w.Open,
	}
}

// sharded is what the engine gives to a sharded job.
func (w *World) sharded() job.Env {
	env := w.Env()
	env.Progress = nil
	return env
}

// Open connects to a storage as the engine does, confined to its prefix, and
// watches the bucket.
func (w *World) Open(ctx context.Context, s tasks.Storage) (providers.Bucket, error) {
	if err := w.note("open", s.Bucket); err != nil {
		return nil, err
	}
	b, err := providers.Registry{"mem": w.opener}.Open(ctx, s, providers.Secrets{})
	if err != nil {
		return nil, err
	}
	return watched{providers.WithPrefix(b, s), w}, nil
}

// Put stores an object in Bucket, unwatched.
func (w *World) Put(t testing.TB, key, data string) providers.Object {
	t.Helper()
	o, err := w.direct(t).Put(t.Context(), key, strings.NewReader(data), providers.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Get reads an object of Bucket, unwatched. A missing one fails the test.
func (w *World) Get(t testing.TB, key string) string {
	t.Helper()
	r, err := w.direct(t).Open(t.Context(), key, providers.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Keys are all keys of Bucket that start with a prefix, in order.
func (w *World) Keys(t testing.TB, prefix string) (keys []string) {
	t.Helper()
	for o, err := range w.direct(t).List(t.Context(), providers.ListOptions{Prefix: prefix}) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

func (w *World) direct(t testing.TB) providers.Bucket {
	t.Helper()
	b, err := w.opener.Open(t.Context(), Source(""), providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Ops are the operations since the last call of Ops, as "put key", of the
// kinds named; all kinds when none is.
func (w *World) Ops(kinds ...string) (ops []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, op := range w.ops {
		kind, _, _ := strings.Cut(op, " ")
		if len(kinds) == 0 || strings.Contains(" "+strings.Join(kinds, " ")+" ", " "+kind+" ") {
			ops = append(ops, op)
		}
	}
	w.ops = nil
	return ops
}

func (w *World) note(op, key string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ops = append(w.ops, fmt.Sprintf("%s %s", op, key))
	if w.Fail == nil {
		return nil
	}
	return w.Fail(op, key)
}

// watched is a bucket of a World.
type watched struct {
	providers.Bucket
	world *World
}

func (b watched) List(ctx context.Context, opts providers.ListOptions) iter.Seq2[providers.Object, error] {
	if err := b.world.note("list", opts.After); err != nil {
		return func(yield func(providers.Object, error) bool) { yield(providers.Object{}, err) }
	}
	return b.Bucket.List(ctx, opts)
}

func (b watched) Stat(ctx context.Context, key string) (providers.Object, error) {
	if err := b.world.note("stat", key); err != nil {
		return providers.Object{}, err
	}
	return b.Bucket.Stat(ctx, key)
}

func (b watched) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	if err := b.world.note("get", key); err != nil {
		return nil, err
	}
	return b.Bucket.Open(ctx, key, opts)
}

func (b watched) Put(ctx context.Context, key string, body io.Reader, opts providers.WriteOptions) (providers.Object, error) {
	if err := b.world.note("put", key); err != nil {
		return providers.Object{}, err
	}
	return b.Bucket.Put(ctx, key, body, opts)
}

// Unwrap lets providers.As look further.
func (b watched) Unwrap() providers.Bucket { return b.Bucket }
