// Package metrics holds all Prometheus code of the worker.
//
// Metrics counts what this process did. Its collectors read, at every
// scrape, what other parts know: queues, slots, request limits and jobs
// under way. The package decides names, labels and help texts, and
// nothing else. It does not know how jobs run.
package metrics

import (
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

// Metrics counts what this process did. Make it with New. It is safe
// for concurrent use.
type Metrics struct {
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
	jobGauges    *jobGauges
	owners       *owners
}

// Sources are read at every scrape. All fields must be set.
type Sources struct {
	Queues   func() ([]asynqtask.Queue, error) // all queues that could be read
	Pools    []Pool
	Limits   func() map[string]int // ID of a bucket -> requests that may be in flight
	RedisUp  func() bool
	Draining func() bool
	Log      *slog.Logger
}

// Registerer registers metrics, for example a *prometheus.Registry.
type Registerer = prometheus.Registerer

// New makes the metrics of a process and registers each of them. With a
// nil registerer they count, but nobody can read them.
func New(r Registerer, s Sources) (*Metrics, error) {
	b := &builder{registerer: r}
	m := &Metrics{
		attempts: b.counter("attempts_total",
			"Attempts at jobs and shards, by outcome.", "kind", "phase", "outcome"),
		attemptTime: b.seconds("attempt_duration_seconds",
			"How long attempts at jobs and shards took.", 0.01, "kind", "phase"),
		jobs: b.counter("jobs_finished_total",
			"Jobs that this process ended.", "kind", "bucket", "tenant", "outcome"),
		jobTime: b.seconds("job_duration_seconds",
			"From a job's first start to its end.", 0.1, "kind"),
		objects: b.counter("objects_processed_total",
			"Objects processed in committed work.", "kind", "bucket", "tenant", "outcome"),
		duplicates: b.counter("duplicate_commits_total",
			"Checkpoints that another run of the shard had committed already.", "kind"),
		replaced: b.counter("shards_replaced_total",
			"Shards given to another worker, by what happened to the first run.", "kind", "reason"),
		takenOver: b.counter("jobs_taken_over_total",
			"Jobs taken over from a worker that stopped sending heartbeats.", "kind"),
		requests: b.counter("storage_requests_total",
			"Requests to buckets.", "kind", "provider", "bucket", "tenant", "op", "outcome"),
		requestTime: b.seconds("storage_request_duration_seconds",
			"How long requests to buckets took; a get ends with its response header.",
			0.001, "provider", "op"),
		storageBytes: b.counter("storage_bytes_total",
			"Content read from buckets (in) and written to them (out).",
			"kind", "provider", "direction"),
		jobGauges: newJobGauges(),
	}
	m.owners = newOwners(m.jobs, m.objects, m.requests)
	b.register(newQueueCollector(s.Queues, s.Log))
	b.register(newSlotCollector(s.Pools))
	b.register(newLimitCollector(s.Limits, m.owners))
	b.register(m.jobGauges)
	b.gauge("redis_up", "1 when Redis answers.", s.RedisUp)
	b.gauge("draining", "1 while this worker stops: it takes no new tasks.", s.Draining)
	b.buildInfo()

	return m, errors.Join(b.errs...)
}
