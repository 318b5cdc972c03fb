package worker

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/providers"
)

// metrics are what this process has done. What the queues hold is read from
// Redis at every scrape, see queueCollector.
type metrics struct {
	attempts     *prometheus.CounterVec
	attemptTime  *prometheus.HistogramVec
	jobs         *prometheus.CounterVec
	jobTime      *prometheus.HistogramVec
	objects      *prometheus.CounterVec
	duplicates   *prometheus.CounterVec
	replaced     *prometheus.CounterVec
	takenOver    *prometheus.CounterVec
	requests     *prometheus.CounterVec
	requestTime  *prometheus.HistogramVec
	storageBytes *prometheus.CounterVec
}

func newMetrics(w *Worker) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "stevedore_" + name, Help: help}, labels)
	}
	seconds := func(name, help string, from float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stevedore_" + name, Help: help, Buckets: prometheus.ExponentialBuckets(from, 4, 9),
		}, labels)
	}
	m := &metrics{
		attempts:     counter("attempts_total", "Runs of jobs and shards, by what became of them.", "kind", "phase", "outcome"),
		attemptTime:  seconds("attempt_duration_seconds", "How long runs of jobs and shards took.", 0.01, "kind", "phase"),
		jobs:         counter("jobs_finished_total", "Jobs that this process brought to their end.", "kind", "outcome"),
		jobTime:      seconds("job_duration_seconds", "From a job's first start to its end.", 0.1, "kind"),
		objects:      counter("objects_processed_total", "Objects dealt with in committed work.", "kind", "outcome"),
		duplicates:   counter("duplicate_commits_total", "Shards that somebody else had handed in already.", "kind"),
		replaced:     counter("shards_replaced_total", "Shards given to another worker, by what had become of the first one.", "kind", "reason"),
		takenOver:    counter("jobs_taken_over_total", "Jobs taken over from a worker that was not heard of any more.", "kind"),
		requests:     counter("storage_requests_total", "Requests to buckets.", "kind", "provider", "op", "outcome"),
		requestTime:  seconds("storage_request_duration_seconds", "How long requests to buckets took; for get until the head.", 0.001, "provider", "op"),
		storageBytes: counter("storage_bytes_total", "Content read from buckets (in) and written to them (out).", "kind", "provider", "direction"),
	}
	return m, m.register(w)
}

func (m *metrics) register(w *Worker) error {
	if w.config.Registry == nil {
		return nil
	}
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	collectors := []prometheus.Collector{
		m.attempts, m.attemptTime, m.jobs, m.jobTime, m.objects, m.duplicates, m.replaced, m.takenOver, m.requests, m.requestTime, m.storageBytes,
		queueCollector{w.inspector, w.log},
		slotCollector(w.pools),
		jobCollector{&w.meters},
		paceCollector{w.buckets.Pacer},
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stevedore_redis_up", Help: "1 when Redis answers.",
		}, func() float64 { return flag(w.ping(context.Background()) == nil) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stevedore_draining", Help: "1 while this worker hands over what it has and takes nothing new.",
		}, func() float64 { return flag(closed(w.drain)) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "stevedore_build_info", Help: "Always 1; the label tells the version.", ConstLabels: prometheus.Labels{"version": version},
		}, func() float64 { return 1 }),
	}
	for _, c := range collectors {
		if err := w.config.Registry.Register(c); err != nil {
			return err
		}
	}
	return nil
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (m *metrics) attempt(a attempt, f fate) {
	m.attempts.WithLabelValues(a.kind, a.phase, string(f)).Inc()
	m.attemptTime.WithLabelValues(a.kind, a.phase).Observe(time.Since(a.start).Seconds())
}

func (m *metrics) ended(c claimed, f fate) {
	outcome := map[fate]string{done: "succeeded", failed: "failed", cancelled: "cancelled"}[f]
	m.jobs.WithLabelValues(c.Name, outcome).Inc()
	m.jobTime.WithLabelValues(c.Name).Observe(time.Since(c.Started).Seconds())
	if c.single != nil && f != cancelled {
		p := c.env.Progress.Counts()
		m.counted(c.Name, p.Objects, p.Failed)
	}
}

// cancelled counts a job that was cancelled while nobody ran it.
func (m *metrics) cancelled(kind string) { m.jobs.WithLabelValues(kind, string(cancelled)).Inc() }

func (m *metrics) counted(kind string, objects, failed int64) {
	m.objects.WithLabelValues(kind, "ok").Add(float64(objects - failed))
	m.objects.WithLabelValues(kind, "failed").Add(float64(failed))
}

func (m *metrics) storage(kind, provider string) providers.Meter {
	return storageMeter{m, kind, provider}
}

// storageMeter counts the traffic of one bucket.
type storageMeter struct {
	*metrics
	kind, provider string
}

func (m storageMeter) Request(op string, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = string(providers.KindOf(err))
	}
	m.requests.WithLabelValues(m.kind, m.provider, op, outcome).Inc()
	m.requestTime.WithLabelValues(m.provider, op).Observe(took.Seconds())
}

func (m storageMeter) Bytes(direction string, n int64) {
	m.storageBytes.WithLabelValues(m.kind, m.provider, direction).Add(float64(n))
}
