//go:build unix

package worker_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// hashJob is a job whose shards take about 50 ms of processor time
// each, for a thousand objects.
type hashJob struct{ shards int }

const hashJobObjects = 1000 // in each shard

// Plan implements job.Sharded.
func (j hashJob) Plan(
	_ context.Context, _ tasks.BuildManifest, _ job.Env, after string, emit func(job.Shard) error,
) error {
	from := 0
	if after != "" {
		n, err := strconv.Atoi(after)
		if err != nil {
			return err
		}
		from = n + 1
	}
	for i := from; i < j.shards; i++ {
		s := job.Shard{After: after, Through: fmt.Sprintf("%06d", i), Objects: hashJobObjects}
		if err := emit(s); err != nil {
			return err
		}
		after = s.Through
	}
	return nil
}

// Work implements job.Sharded. It hashes 16 KiB at a time. With less,
// the position of the stack in memory would change the time by a fifth
// of what is measured here.
func (hashJob) Work(
	_ context.Context, _ tasks.BuildManifest, _ job.Env, s job.Shard,
) iter.Seq2[job.Item, error] {
	return func(yield func(job.Item, error) bool) {
		head := make([]byte, 16<<10)
		for i := range hashJobObjects {
			var sum [sha256.Size]byte
			for range 4 {
				sum = sha256.Sum256(head)
			}
			key := fmt.Sprintf("%s/%06d", s.Through, i)
			line := fmt.Appendf(nil, `{"name":%q,"width":%d,"height":%d}`+"\n", key, sum[0], sum[1])
			item := job.Item{Key: key, Data: line, Tally: "entries", Bytes: 100}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Finish implements job.Sharded.
func (hashJob) Finish(
	_ context.Context, _ tasks.BuildManifest, _ job.Env, parts job.Parts,
) (tasks.Result, error) {
	err := job.WriteParts(io.Discard, parts.Data)
	return tasks.BuildManifestResult{Entries: parts.Tally["entries"]}, err
}

// BenchmarkEngineOverhead compares a job of 1,000 shards with the same
// work in a loop on as many goroutines.
func BenchmarkEngineOverhead(b *testing.B) {
	j := hashJob{1000}
	c := newConfig(b, queuetest.Start(b).Options())
	c.Log = slog.New(slog.DiscardHandler)
	w := startWorker(b, c, testJobs{other: j})
	p := newClient(b, c.Redis)
	var walls, processors []float64
	for b.Loop() {
		var s tasks.Status
		// Half of the loop runs before the job and half after it,
		// because the machine's speed changes.
		half := func() { hashJob{j.shards / 2}.loop(b, c.ShardSlots) }
		first := costOf(half)
		engine := costOf(func() { s = runToEnd(b, p, manifest) })
		engine.wall = s.Finished.Sub(s.Started) // the client looks only once a second
		second := costOf(half)
		loop := cost{first.wall + second.wall, first.processor + second.processor}
		walls = append(walls, float64(engine.wall)/float64(loop.wall))
		processors = append(processors, float64(engine.processor)/float64(loop.processor))
		b.Logf("loop %v, engine %v", loop, engine)
	}
	w.stop()
	b.ReportMetric(median(walls), "time/loop's")
	b.ReportMetric(median(processors), "cpu/loop's")
}

// loop does the work of all shards without an engine.
func (j hashJob) loop(b *testing.B, slots int) {
	b.Helper()
	var next, entries atomic.Int64
	var group errgroup.Group
	for range slots {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(j.shards); i = next.Add(1) - 1 {
				var part []byte
				shard := job.Shard{Through: fmt.Sprintf("%06d", i)}
				for item, err := range j.Work(b.Context(), manifest, job.Env{}, shard) {
					if err != nil {
						return err
					}
					part = append(part, item.Data...)
					entries.Add(1)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil || entries.Load() != int64(j.shards*hashJobObjects) {
		b.Fatalf("%d entries, %v", entries.Load(), err)
	}
}

// cost is how much time something takes, and how much processor time of
// this process. Redis runs in a process of its own.
type cost struct{ wall, processor time.Duration }

func (c cost) String() string { return fmt.Sprintf("%v (processor %v)", c.wall, c.processor) }

func costOf(do func()) cost {
	began, used := time.Now(), processorTime()
	do()
	return cost{time.Since(began), processorTime() - used}
}

func processorTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// runToEnd enqueues a job and waits for its end.
func runToEnd(b testing.TB, p *producer.Client, j tasks.Job) tasks.Status {
	b.Helper()
	id, err := p.Enqueue(b.Context(), j)
	if err != nil {
		b.Fatal(err)
	}
	s := waitForJob(b, p, id, 20*time.Minute)
	if s.State != tasks.StateSucceeded {
		b.Fatalf("%+v", s)
	}
	return s
}

// BenchmarkFourProcesses compares four worker processes with one, on
// work that mostly waits for the bucket.
func BenchmarkFourProcesses(b *testing.B) {
	var ratios []float64
	for b.Loop() {
		one, four := latencyBound(b, 1), latencyBound(b, 4)
		ratios = append(ratios, one.Seconds()/four.Seconds())
		b.Logf("one process %v, four %v", one, four)
	}
	b.ReportMetric(median(ratios), "times-as-fast")
}

func latencyBound(b *testing.B, processes int) time.Duration {
	b.Helper()
	o := queuetest.Start(b).Options()
	j := buildTo(b)
	bucket := simulation{Objects: 96_000, Read: 20 * time.Millisecond}
	f := startFleet(b, setup{
		Redis:    redisURL(o),
		Dir:      j.Destination.Bucket,
		Bucket:   bucket,
		Slots:    2,
		Parallel: 16,
	}, processes)
	f.waitReady(processes)
	s := runToEnd(b, newClient(b, o), j)
	for i := range f.processes {
		f.kill(i)
	}
	return s.Finished.Sub(s.Started)
}

// BenchmarkRedisMemory measures how much memory Redis takes at most,
// above idle, while the manifest of a million objects is built.
func BenchmarkRedisMemory(b *testing.B) {
	o := queuetest.Start(b).Options()
	j := buildTo(b)
	f := startFleet(b, setup{
		Redis:    redisURL(o),
		Dir:      j.Destination.Bucket,
		Bucket:   simulation{Objects: 1_000_000},
		Slots:    2,
		Parallel: 4,
	}, 2)
	f.waitReady(2)
	p := newClient(b, o)
	var peaks []float64
	for b.Loop() {
		idle := usedMemory(b, o)
		sampled, stop := make(chan int64), make(chan struct{})
		go func() { sampled <- peakMemory(b, o, stop) }()
		s := runToEnd(b, p, j)
		close(stop)
		peak := <-sampled
		peaks = append(peaks, float64(peak-idle)/1e6)
		b.Logf("idle %d, peak %d, after %d bytes; the job took %v", idle, peak, usedMemory(b, o), s.Finished.Sub(s.Started))
	}
	b.ReportMetric(median(peaks), "peak-MB")
}

func peakMemory(b *testing.B, o redisconn.Options, stop <-chan struct{}) (peak int64) {
	b.Helper()
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for {
		select {
		case <-stop:
			return peak
		case <-ticks.C:
			peak = max(peak, usedMemory(b, o))
		}
	}
}

func usedMemory(b *testing.B, o redisconn.Options) int64 {
	b.Helper()
	r := o.Client()
	defer func() { _ = r.Close() }()
	info, err := r.Info(b.Context(), "memory").Result()
	_, rest, _ := strings.Cut(info, "used_memory:")
	digits, _, ok := strings.Cut(rest, "\r\n")
	n, bad := strconv.ParseInt(digits, 10, 64)
	if err != nil || bad != nil || !ok {
		b.Errorf("INFO memory: %v, %v", err, bad)
	}
	return n
}
