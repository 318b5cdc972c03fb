// Package jobtest runs jobs in tests as the engine does, without
// Redis. Its buckets are in memory, record their operations, and fail
// on demand.
//
// It knows the interfaces of worker/job, and no job by name. Only
// tests import it.
package jobtest

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/keyorder"
	"github.com/stevedore-jobs/stevedore/providers/mem"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// Bucket is the name of the bucket that every World has.
const Bucket = "images"

// World holds buckets in memory. It is safe for concurrent use.
type World struct {
	// Fail, if set, is called before every operation (open, list,
	// get, put, stat). The operation fails with its error.
	Fail func(op, key string) error

	opener *mem.Opener
	order  keyorder.Order // of all buckets
	mu     sync.Mutex
	ops    []string
}

// New returns a world with Bucket and the other named buckets, all
// empty. They list in the order of bytes.
func New(buckets ...string) *World {
	w := &World{opener: mem.New(), order: keyorder.Bytes}
	for _, name := range append(buckets, Bucket) {
		w.opener.Create(name)
	}
	return w
}

// NewIn returns a world whose buckets list in another order. The jobs
// must find out the order.
func NewIn(order keyorder.Order, buckets ...string) *World {
	w := &World{opener: mem.New(), order: order}
	for _, name := range append(buckets, Bucket) {
		w.opener.CreateIn(name, order)
	}
	return w
}

// CreateIn makes another empty bucket, which lists in an order of its
// own.
func (w *World) CreateIn(name string, order keyorder.Order) { w.opener.CreateIn(name, order) }

// Source returns a storage for Bucket with a prefix, which may be
// empty.
func Source(prefix string) tasks.Storage {
	return tasks.Storage{Provider: "mem", Bucket: Bucket, Prefix: prefix}
}

// Env returns what the engine gives to a run of a single job, with a
// new Progress.
func (w *World) Env() job.Env {
	return job.Env{
		ID: "test", Log: slog.New(slog.DiscardHandler),
		Progress: new(job.Progress), Parallel: 4, Open: w.Open,
	}
}

// shardedEnv returns what the engine gives to a sharded job.
func (w *World) shardedEnv() job.Env {
	env := w.Env()
	env.Progress = nil
	return env
}

// Open connects to a storage as the engine does, limited to its
// prefix. The bucket's operations are recorded.
func (w *World) Open(ctx context.Context, s tasks.Storage) (providers.Bucket, error) {
	if err := w.record("open", s.Bucket); err != nil {
		return nil, err
	}
	b, err := providers.Registry{"mem": w.opener}.Open(ctx, s, providers.Secrets{})
	if err != nil {
		return nil, err
	}
	return recordingBucket{providers.WithPrefix(b, s), w}, nil
}

// Put stores an object in Bucket. It is not recorded.
func (w *World) Put(t testing.TB, key, data string) providers.Object {
	t.Helper()
	o, err := w.direct(t).Put(t.Context(), key, strings.NewReader(data), providers.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Get returns the content of an object in Bucket. The test fails if
// the object is missing. Get is not recorded.
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

// Delete removes an object from Bucket. It is not recorded.
func (w *World) Delete(t testing.TB, key string) {
	t.Helper()
	if err := w.direct(t).Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

// Keys returns all keys of Bucket that start with a prefix, in order.
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

// direct opens Bucket without recording.
func (w *World) direct(t testing.TB) providers.Bucket {
	t.Helper()
	b, err := w.opener.Open(t.Context(), Source(""), providers.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Ops returns the operations since the last call of Ops, each as "put
// key". With kinds it leaves out operations of other kinds.
func (w *World) Ops(kinds ...string) (ops []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, op := range w.ops {
		kind, _, _ := strings.Cut(op, " ")
		if len(kinds) == 0 || slices.Contains(kinds, kind) {
			ops = append(ops, op)
		}
	}
	w.ops = nil
	return ops
}

// record records an operation and returns the error of Fail.
func (w *World) record(op, key string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ops = append(w.ops, fmt.Sprintf("%s %s", op, key))
	if w.Fail == nil {
		return nil
	}
	return w.Fail(op, key)
}

// recordingBucket is a bucket that records its operations in a World.
type recordingBucket struct {
	providers.Bucket
	world *World
}

func (b recordingBucket) List(
	ctx context.Context, opts providers.ListOptions,
) iter.Seq2[providers.Object, error] {
	if err := b.world.record("list", opts.After); err != nil {
		return func(yield func(providers.Object, error) bool) { yield(providers.Object{}, err) }
	}
	return b.Bucket.List(ctx, opts)
}

func (b recordingBucket) Stat(ctx context.Context, key string) (providers.Object, error) {
	if err := b.world.record("stat", key); err != nil {
		return providers.Object{}, err
	}
	return b.Bucket.Stat(ctx, key)
}

func (b recordingBucket) Open(
	ctx context.Context, key string, opts providers.ReadOptions,
) (*providers.Reader, error) {
	if err := b.world.record("get", key); err != nil {
		return nil, err
	}
	return b.Bucket.Open(ctx, key, opts)
}

func (b recordingBucket) Put(
	ctx context.Context, key string, body io.Reader, opts providers.WriteOptions,
) (providers.Object, error) {
	if err := b.world.record("put", key); err != nil {
		return providers.Object{}, err
	}
	return b.Bucket.Put(ctx, key, body, opts)
}

// CheckConditions implements providers.ConditionChecker. A World fails it
// as the operation "conditions".
func (b recordingBucket) CheckConditions(context.Context) error {
	return b.world.record("conditions", "")
}

// Unwrap lets providers.As look further.
func (b recordingBucket) Unwrap() providers.Bucket { return b.Bucket }
