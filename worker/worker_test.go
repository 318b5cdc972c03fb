package worker_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// single is a job whose Run a test gives.
type single[J tasks.Job] struct {
	run func(context.Context, J, job.Env) (tasks.Result, error)
}

func (s single[J]) Run(ctx context.Context, j J, env job.Env) (tasks.Result, error) {
	return s.run(ctx, j, env)
}

// counting is a sharded job that counts: shard i holds the number i, the
// result is the sum in Entries.
type counting struct {
	shards int64
	work   func(context.Context, job.Env, job.Shard) error // called before each part is made; may be nil
	plan   func(context.Context, string) error             // called before each shard is planned; may be nil
	item   func(context.Context, string) error             // called before each item; may be nil
	finish func(context.Context) error                     // may be nil
	data   func(string) []byte                             // of each item, beside its shard's line; may be nil
	worked sync.Map                                        // shard -> *atomic.Int64: how often its part was made
}

func (c *counting) Plan(ctx context.Context, _ tasks.BuildManifest, _ job.Env, after string, emit func(job.Shard) error) error {
	from := int64(0)
	if after != "" {
		n, err := strconv.ParseInt(after, 10, 64)
		if err != nil {
			return err
		}
		from = n + 1
	}
	for i := from; i < c.shards; i++ {
		if c.plan != nil {
			if err := c.plan(ctx, fmt.Sprint(i)); err != nil {
				return err
			}
		}
		if err := emit(job.Shard{After: after, Through: fmt.Sprint(i), Objects: 10}); err != nil {
			return err
		}
		after = fmt.Sprint(i)
	}
	return nil
}

// Work yields ten items a shard: "3/0" to "3/8", of 100 bytes each, and
// "3/9", which fails.
func (c *counting) Work(ctx context.Context, _ tasks.BuildManifest, env job.Env, s job.Shard) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		if c.work != nil {
			if err := c.work(ctx, env, s); err != nil {
				yield(job.Item{}, err)
				return
			}
		}
		n, _ := c.worked.LoadOrStore(s.Through, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
		first := 0
		if _, k, ok := strings.Cut(s.After, "/"); ok {
			first, _ = strconv.Atoi(k)
			first++
		}
		for k := first; k < 10; k++ {
			if !c.yieldItem(ctx, env, s, k, yield) {
				return
			}
		}
	}
}

func (c *counting) yieldItem(ctx context.Context, env job.Env, s job.Shard, k int, yield func(job.Item, error) bool) bool {
	i := job.Item{Key: fmt.Sprintf("%s/%d", s.Through, k), Bytes: 100}
	if env.BeforeObject != nil {
		if err := env.BeforeObject(ctx, i.Key); err != nil {
			return yield(i, err) && false
		}
	}
	if c.item != nil {
		if err := c.item(ctx, i.Key); err != nil {
			return yield(i, err) && false
		}
	}
	if k == 9 {
		i.Bytes, i.Error = 0, &tasks.ObjectError{Key: s.Through + ".jpg", Code: "corrupt-image", Message: "no picture"}
		i.Data, i.Tally = []byte(s.Through+"\n"), s.Through
	}
	if c.data != nil {
		i.Data = append(c.data(i.Key), i.Data...)
	}
	return yield(i, nil)
}

func (c *counting) Finish(ctx context.Context, _ tasks.BuildManifest, _ job.Env, parts job.Parts) (tasks.Result, error) {
	if c.finish != nil {
		if err := c.finish(ctx); err != nil {
			return nil, err
		}
	}
	var sum int64
	for shard, times := range parts.Tally {
		i, err := strconv.ParseInt(shard, 10, 64)
		if err != nil {
			return nil, err
		}
		sum += i * times
	}
	var order bytes.Buffer
	for data, err := range parts.Data {
		if err != nil {
			return nil, err
		}
		if c.data == nil { // noise is too much for a result
			order.Write(data)
		}
	}
	return tasks.BuildManifestResult{Key: order.String(), Entries: sum}, nil
}

// times is how often the part of a shard was made.
func (c *counting) times(shard int) int64 {
	n, ok := c.worked.Load(fmt.Sprint(shard))
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

// jobs is the set of jobs of a test's workers; a nil one fails the test that
// enqueues it.
type jobs struct {
	verify   func(context.Context, tasks.VerifyConnection, job.Env) (tasks.Result, error)
	manifest *counting
	other    job.Sharded[tasks.BuildManifest] // instead of manifest, if it is set
}

func (j jobs) registrations() []worker.Registration {
	m := j.other
	if m == nil {
		m = cmp.Or(j.manifest, new(counting))
	}
	return []worker.Registration{
		worker.Single(single[tasks.VerifyConnection]{j.verify}),
		worker.Sharded(m),
		worker.Single(single[tasks.GenerateThumbnails]{}),
		worker.Single(single[tasks.ExportAnnotations]{}),
	}
}

// process is a running worker.
type process struct {
	*worker.Worker
	stop func() // drains and waits
}

// config is a small worker.
func config(t testing.TB, o redisconn.Options) worker.Config {
	t.Helper()
	return worker.Config{
		Redis: o, VerifySlots: 2, JobSlots: 2, ShardSlots: 2, Parallel: 4, DrainTimeout: 5 * time.Second,
		Providers: providers.Registry{}, Registry: prometheus.NewRegistry(),
		Log: slog.New(slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

type logWriter struct{ t testing.TB }

func (l logWriter) Write(p []byte) (int, error) {
	l.t.Helper()
	l.t.Log(string(bytes.TrimSpace(p)))
	return len(p), nil
}

func start(t testing.TB, c worker.Config, j jobs) *process {
	t.Helper()
	w, err := worker.New(c, j.registrations()...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("worker: %v", err)
		}
	})
	t.Cleanup(stop)
	return &process{w, stop}
}

func client(t testing.TB, o redisconn.Options) *producer.Client {
	t.Helper()
	c := producer.New(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

var (
	storage  = tasks.Storage{Provider: "mem", Bucket: "b"}
	manifest = tasks.BuildManifest{Source: storage}
	verify   = tasks.VerifyConnection{Storage: storage}
)

// enqueue puts a job on the queue under an ID.
func enqueue(t testing.TB, c *producer.Client, j tasks.Job, id string) {
	t.Helper()
	if _, err := c.Enqueue(t.Context(), j, producer.WithID(id)); err != nil {
		t.Fatalf("enqueue: %v", err)
	}
}

// errorsOf is a job's error list.
func errorsOf(t testing.TB, c *producer.Client, id string) (list []tasks.ObjectError) {
	t.Helper()
	for e, err := range c.Errors(t.Context(), id) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// wait follows a job to its end.
func wait(t testing.TB, c *producer.Client, id string, limit time.Duration) tasks.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	s, err := c.Wait(ctx, id, nil)
	if err != nil {
		t.Fatalf("wait: %v; last seen %+v", err, s)
	}
	return s
}

// result is the result of a counting job, checked for every shard being
// counted once.
func result(t testing.TB, s tasks.Status, shards int64) tasks.BuildManifestResult {
	t.Helper()
	r, err := producer.Result(s)
	if err != nil {
		t.Fatalf("%v: %+v", err, s.Failure)
	}
	m := r.(tasks.BuildManifestResult)
	if want := shards * (shards - 1) / 2; m.Entries != want {
		t.Errorf("sum of all shards = %d, want %d", m.Entries, want)
	}
	var order bytes.Buffer
	for i := range shards {
		fmt.Fprintln(&order, i)
	}
	if m.Key != order.String() {
		t.Errorf("parts in order %q", m.Key)
	}
	if p := s.Progress; p.Objects != shards*10 || p.ObjectsTotal != p.Objects || p.Failed != shards || p.Bytes != shards*900 {
		t.Errorf("progress %+v of %d shards", p, shards)
	}
	return m
}
