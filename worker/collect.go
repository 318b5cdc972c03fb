package worker

import (
	"log/slog"
	"slices"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/providers/pacer"
	"github.com/stevedore-jobs/stevedore/tasks"
)

// queueCollector reads the queues from Redis at each scrape. The names are
// those of asynq's own exporter, which asynqmon's metrics page asks for.
// Every replica reports the same queues: take the max over them, never the
// sum.
type queueCollector struct {
	inspector *asynq.Inspector
	log       *slog.Logger
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"queue"}, labels...), nil)
}

// queueDescs are the series of one queue, and how to read each.
func queueDescs() map[*prometheus.Desc]func(*asynq.QueueInfo) float64 {
	return map[*prometheus.Desc]func(*asynq.QueueInfo) float64{
		desc("asynq_queue_size", "Tasks in the queue, in any state."):                                func(q *asynq.QueueInfo) float64 { return float64(q.Size) },
		desc("asynq_queue_latency_seconds", "Age of the oldest pending task."):                       func(q *asynq.QueueInfo) float64 { return q.Latency.Seconds() },
		desc("asynq_queue_memory_usage_approx_bytes", "Memory the queue takes in Redis, estimated."): func(q *asynq.QueueInfo) float64 { return float64(q.MemoryUsage) },
		desc("asynq_tasks_processed_total", "Tasks processed, succeeded or failed."):                 func(q *asynq.QueueInfo) float64 { return float64(q.ProcessedTotal) },
		desc("asynq_tasks_failed_total", "Tasks failed."):                                            func(q *asynq.QueueInfo) float64 { return float64(q.FailedTotal) },
		desc("asynq_queue_paused_total", "1 when the queue is paused."):                              func(q *asynq.QueueInfo) float64 { return flag(q.Paused) },
	}
}

func stateDesc() *prometheus.Desc {
	return desc("asynq_tasks_enqueued_total", "Tasks in the queue by state (a gauge, in spite of its name).", "state")
}

// Describe implements prometheus.Collector.
func (c queueCollector) Describe(out chan<- *prometheus.Desc) {
	for d := range queueDescs() {
		out <- d
	}
	out <- stateDesc()
}

// Collect implements prometheus.Collector. While Redis is away there are no
// series, rather than old ones.
func (c queueCollector) Collect(out chan<- prometheus.Metric) {
	known, err := c.inspector.Queues()
	if err != nil {
		c.log.Debug("queues not read", "error", err)
		return
	}
	for _, q := range tasks.Queues() {
		info := &asynq.QueueInfo{Queue: q} // a queue appears in Redis with its first task
		if slices.Contains(known, q) {
			if info, err = c.inspector.GetQueueInfo(q); err != nil {
				c.log.Debug("queue not read", "queue", q, "error", err)
				continue
			}
		}
		collectQueue(info, out)
	}
}

func collectQueue(q *asynq.QueueInfo, out chan<- prometheus.Metric) {
	for d, read := range queueDescs() {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, read(q), q.Queue)
	}
	for state, n := range map[string]int{
		"active": q.Active, "pending": q.Pending, "scheduled": q.Scheduled, "retry": q.Retry, "archived": q.Archived, "completed": q.Completed,
	} {
		out <- prometheus.MustNewConstMetric(stateDesc(), prometheus.GaugeValue, float64(n), q.Queue, state)
	}
}

// slotCollector reports each pool's slots, and how many of them really run
// something.
type slotCollector []pool

func slotDescs() (all, busy *prometheus.Desc) {
	return prometheus.NewDesc("stevedore_slots", "Slots of this process.", []string{"pool"}, nil),
		prometheus.NewDesc("stevedore_slots_busy", "Slots of this process that run something.", []string{"pool"}, nil)
}

// Describe implements prometheus.Collector.
func (c slotCollector) Describe(out chan<- *prometheus.Desc) {
	all, busy := slotDescs()
	out <- all
	out <- busy
}

// Collect implements prometheus.Collector.
func (c slotCollector) Collect(out chan<- prometheus.Metric) {
	all, busy := slotDescs()
	for _, p := range c {
		out <- prometheus.MustNewConstMetric(all, prometheus.GaugeValue, float64(p.slots), p.name)
		out <- prometheus.MustNewConstMetric(busy, prometheus.GaugeValue, float64(len(p.sem)), p.name)
	}
}

// paceCollector reports how many requests to each bucket this process may
// have in flight: throttling lowers it.
type paceCollector struct{ pacer *pacer.Pacer }

func paceDesc() *prometheus.Desc {
	return prometheus.NewDesc("stevedore_bucket_requests_limit",
		"Requests to a bucket that this process may have in flight; throttling lowers it.", []string{"bucket"}, nil)
}

// Describe implements prometheus.Collector.
func (c paceCollector) Describe(out chan<- *prometheus.Desc) { out <- paceDesc() }

// Collect implements prometheus.Collector.
func (c paceCollector) Collect(out chan<- prometheus.Metric) {
	for bucket, n := range c.pacer.Limits() {
		out <- prometheus.MustNewConstMetric(paceDesc(), prometheus.GaugeValue, float64(n), bucket)
	}
}
