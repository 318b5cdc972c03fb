package worker_test

import (
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
	"github.com/stevedore-jobs/stevedore/worker/job"
)

// BenchmarkPickUp measures the time from Enqueue to the start of the
// handler, while nothing else is on the queue, and before that how many
// commands an idle worker sends to Redis.
func BenchmarkPickUp(b *testing.B) {
	c := newConfig(b, queuetest.Start(b).Options())
	c.Log = slog.New(slog.DiscardHandler)
	started := make(chan time.Time, 1)
	run := func(context.Context, tasks.VerifyConnection, job.Env) (tasks.Result, error) {
		started <- time.Now()
		return tasks.VerifyConnectionResult{OK: true}, nil
	}
	registry := prometheus.NewRegistry()
	c.Registry = registry
	w := startWorker(b, c, testJobs{verify: run})
	p := newClient(b, c.Redis)
	runToEnd(b, p, verify) // connects
	receive(b, started, "the handler starts")

	var took []time.Duration
	var rates []float64
	for b.Loop() {
		rates = append(rates, idleRate(b, c.Redis, w, registry))
		for range 300 {
			// The pause makes each phase of a poll equally likely.
			_ = elapse(b.Context(), rand.N(200*time.Millisecond))
			asked := time.Now()
			if _, err := p.Enqueue(b.Context(), verify); err != nil {
				b.Fatal(err)
			}
			took = append(took, receive(b, started, "the handler starts").Sub(asked))
		}
	}
	slices.Sort(took)
	for percent, unit := range map[int]string{50: "p50-ms", 95: "p95-ms", 99: "p99-ms"} {
		b.ReportMetric(float64(took[len(took)*percent/100].Microseconds())/1000, unit)
	}
	b.ReportMetric(median(rates), "idle-commands/s")
}

// idleRate returns how many commands a second Redis runs for one idle
// worker, in half a minute. Prometheus asks it twice meanwhile, and the
// probes of an orchestrator six times.
func idleRate(
	b *testing.B, o redisconn.Options, w *process, registry *prometheus.Registry,
) float64 {
	b.Helper()
	scrape := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	probes := w.Handler()
	get := func(h http.Handler, path string) {
		out := httptest.NewRecorder()
		h.ServeHTTP(out, httptest.NewRequest(http.MethodGet, path, nil))
		if out.Code != http.StatusOK {
			b.Errorf("%s: %d", path, out.Code)
		}
	}
	useAllQueues(b, o)
	before, began := commands(b, o), time.Now()
	for i := range 6 {
		get(probes, "/readyz")
		if i%3 == 0 {
			get(scrape, "/metrics")
		}
		_ = elapse(b.Context(), 5*time.Second)
	}
	took := time.Since(began).Seconds()
	total := 0.0
	after := commands(b, o)
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if n := float64(after[name]-before[name]) / took; n > 0 {
			total += n
			b.Logf("%-20s %.1f/s", name, n)
		}
	}
	return total
}

// useAllQueues makes asynq's metrics ask for all queues: they leave out
// those that never had a task.
func useAllQueues(t testing.TB, o redisconn.Options) {
	t.Helper()
	c := o.Client()
	defer func() { _ = c.Close() }()
	for _, name := range tasks.Queues() {
		if err := c.SAdd(t.Context(), "asynq:queues", name).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// commands returns how often each command was run, also by scripts, on
// all nodes of a cluster.
func commands(t testing.TB, o redisconn.Options) map[string]int {
	t.Helper()
	c := o.Client()
	defer func() { _ = c.Close() }()
	counts := map[string]int{}
	var mu sync.Mutex // nodes are asked at once
	count := func(ctx context.Context, node *redis.Client) error {
		info, err := node.Info(ctx, "commandstats").Result()
		mu.Lock()
		defer mu.Unlock()
		for line := range strings.Lines(info) {
			name, rest, ok := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":calls=")
			digits, _, _ := strings.Cut(rest, ",")
			if n, err := strconv.Atoi(digits); ok && err == nil && name != "info" {
				counts[name] += n
			}
		}
		return err
	}
	err := error(nil)
	switch c := c.(type) {
	case *redis.ClusterClient:
		err = c.ForEachMaster(t.Context(), count)
	case *redis.Client:
		err = count(t.Context(), c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return counts
}
