//go:build unix

package bench_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/providers"
	"github.com/stevedore-jobs/stevedore/providers/egress"
	"github.com/stevedore-jobs/stevedore/providers/s3"
	"github.com/stevedore-jobs/stevedore/providers/s3/s3test"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/job"
	"github.com/stevedore-jobs/stevedore/worker/job/jobtest"
	"github.com/stevedore-jobs/stevedore/worker/manifest"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

const (
	inFlight = 64
	latency  = 20 * time.Millisecond
)

// BenchmarkManifest builds the manifest of camera JPEGs in S3, and
// compares with the ranged GETs alone through the same bucket.
func BenchmarkManifest(b *testing.B) {
	for _, mix := range []string{"mix", "narrow", "wide"} {
		b.Run(mix, func(b *testing.B) { benchManifest(b, mix, 3000) })
	}
	b.Run("latency", benchLatency)
}

func benchManifest(b *testing.B, mix string, images int) {
	b.Helper()
	const rounds = 7
	var total cost
	var ofSame, ofOne []float64
	for b.Loop() {
		for range rounds {
			w := newWorld(b, startStore(b, mix, images, 0))
			ran := w.build(b)
			reads := w.reads
			same := w.replay(b, reads)
			one := w.replay(b, firstReads(reads))
			total.reads, total.bytes = len(reads), bytesOf(reads)
			ofSame = append(ofSame, ran.cpu.Seconds()/same.cpu.Seconds())
			ofOne = append(ofOne, ran.cpu.Seconds()/one.cpu.Seconds())
			if total.cpu == 0 || ran.cpu < total.cpu {
				total.cpu = ran.cpu
			}
			w.reads = nil
			w.build(b)
			objects, old := 0, int64(0)
			for _, r := range w.reads {
				if r.key == manifestKey {
					old += r.bytes
				} else {
					objects++
				}
			}
			b.ReportMetric(float64(objects), "second-reads")
			b.ReportMetric(float64(old)/float64(w.size), "second-manifests")
		}
	}
	b.ReportMetric(float64(total.reads)/float64(images), "requests/image")
	b.ReportMetric(float64(total.bytes)/float64(images)/1024, "KiB/image")
	b.ReportMetric(float64(total.cpu.Microseconds())/float64(images), "µs-CPU/image")
	b.ReportMetric(median(ofSame), "of-same-GETs")
	b.ReportMetric(median(ofOne), "of-one-GET")
	b.ReportMetric(0, "ns/op")
}

// benchLatency shows which share of the reads that the limit of those in
// flight allows the job reaches.
func benchLatency(b *testing.B) {
	const images = 6000
	for b.Loop() {
		w := newWorld(b, startStore(b, "mix", images, latency))
		ran := w.build(b)
		allowed := time.Duration(len(w.reads)) * latency / inFlight
		b.ReportMetric(allowed.Seconds()/ran.work.Seconds(), "of-limit")
		b.ReportMetric(images/ran.took.Seconds(), "images/s")
	}
	b.ReportMetric(0, "ns/op")
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

const manifestKey = "images/manifest.jsonl"

// read is one read of an object.
type read struct {
	key        string
	off, bytes int64
	etag       string
}

func bytesOf(reads []read) (n int64) {
	for _, r := range reads {
		n += r.bytes
	}
	return n
}

// firstReads returns the first read of each object.
func firstReads(reads []read) (first []read) {
	seen := map[string]bool{}
	for _, r := range reads {
		if !seen[r.key] {
			seen[r.key] = true
			first = append(first, r)
		}
	}
	return first
}

type cost struct {
	cpu, took, work time.Duration // work is without listing and finishing
	reads           int
	bytes           int64
}

// world is a bucket, and what a job has read of it.
type world struct {
	providers.Bucket
	storage tasks.Storage
	size    int64 // of the manifest

	mu    sync.Mutex
	reads []read
}

func newWorld(t testing.TB, endpoint string) *world {
	t.Helper()
	allow, err := egress.ParseAllow("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	client := egress.Policy{Allow: allow}.Client()
	t.Cleanup(client.CloseIdleConnections)
	return open(t, endpoint, client)
}

func open(t testing.TB, endpoint string, client *http.Client) *world {
	t.Helper()
	s, secrets := s3test.Storage(t, endpoint, "b", s3test.Keys())
	s.Prefix = "images/"
	bucket, err := (&s3.Opener{Client: client}).Open(t.Context(), s, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return &world{Bucket: bucket, storage: s}
}

// Open implements providers.Bucket and notes the read.
func (w *world) Open(ctx context.Context, key string, opts providers.ReadOptions) (*providers.Reader, error) {
	body, err := w.Bucket.Open(ctx, key, opts)
	if err != nil {
		return nil, err
	}
	n := body.Object.Size - opts.Offset
	if opts.Length > 0 {
		n = min(n, opts.Length)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads = append(w.reads, read{key, opts.Offset, n, body.Object.ETag})
	return body, nil
}

// Unwrap lets providers.As look further.
func (w *world) Unwrap() providers.Bucket { return w.Bucket }

// Close implements providers.Bucket: the world stays open.
func (w *world) Close() error { return nil }

// build runs the job, a shard after the other, and returns what it took.
func (w *world) build(t testing.TB) (c cost) {
	t.Helper()
	ctx, j := t.Context(), tasks.BuildManifest{Source: w.storage}
	env := job.Env{
		ID: "bench", Log: slog.New(slog.DiscardHandler), Parallel: inFlight, Slots: 1,
		Open: func(context.Context, tasks.Storage) (providers.Bucket, error) { return w, nil },
	}
	impl := manifest.New(memory.New(64 << 20))
	cpu, start := processorTime(t), time.Now()
	var shards []job.Shard
	err := impl.Plan(ctx, j, env, "", func(s job.Shard) error {
		shards = append(shards, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var items []job.Item
	began := time.Now()
	for _, s := range shards {
		for i, err := range impl.Work(ctx, j, env, s) {
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, i)
		}
	}
	c.work = time.Since(began)
	result, err := impl.Finish(ctx, j, env, jobtest.Parts(items))
	if err != nil {
		t.Fatal(err)
	}
	r := result.(tasks.BuildManifestResult)
	if r.Failed > 0 || r.Entries == 0 {
		t.Fatal(r.Summary())
	}
	w.size = r.Size
	c.cpu, c.took = processorTime(t)-cpu, time.Since(start)
	return c
}

// replay reads the same parts of the same objects through the bucket,
// without a job.
func (w *world) replay(t testing.TB, reads []read) cost {
	t.Helper()
	reads = slices.DeleteFunc(slices.Clone(reads), func(r read) bool { return r.key == manifestKey })
	var next atomic.Int64
	var wg sync.WaitGroup
	cpu := processorTime(t)
	for range inFlight {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(reads)); i = next.Add(1) - 1 {
				r := reads[i]
				body, err := w.Bucket.Open(t.Context(), r.key, providers.ReadOptions{Offset: r.off, Length: r.bytes, IfMatch: r.etag})
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, body)
				_ = body.Close()
			}
		})
	}
	wg.Wait()
	return cost{cpu: processorTime(t) - cpu}
}

// processorTime returns the processor time of this process.
func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
