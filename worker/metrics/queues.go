package metrics

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

// queueCollector reads the queues from Redis at each scrape. The names
// are those of asynq's own exporter, because asynqmon's metrics page
// asks for them. Every worker reports the same queues: take the max
// over workers, never the sum.
type queueCollector struct {
	queues func() ([]asynqtask.Queue, error)
	log    *slog.Logger
	series []queueSeries
	states *prometheus.Desc
}

// queueSeries is one series of each queue.
type queueSeries struct {
	desc *prometheus.Desc
	read func(asynqtask.Queue) float64
}

func newQueueCollector(queues func() ([]asynqtask.Queue, error), log *slog.Logger) queueCollector {
	series := func(name, help string, read func(asynqtask.Queue) float64) queueSeries {
		return queueSeries{queueDesc(name, help), read}
	}
	return queueCollector{
		queues: queues,
		log:    log,
		series: []queueSeries{
			series("asynq_queue_size", "Tasks in the queue that have not ended: they wait or run.",
				func(q asynqtask.Queue) float64 {
					ended := q.States[asynqtask.Completed] + q.States[asynqtask.Archived]
					return float64(q.Size - ended)
				}),
			series("asynq_queue_latency_seconds", "Age of the oldest pending task.",
				func(q asynqtask.Queue) float64 { return q.Latency.Seconds() }),
			series("asynq_queue_memory_usage_approx_bytes",
				"Memory that the queue takes in Redis, estimated.",
				func(q asynqtask.Queue) float64 { return float64(q.Memory) }),
			series("asynq_tasks_processed_total", "Tasks processed, succeeded or failed.",
				func(q asynqtask.Queue) float64 { return float64(q.Processed) }),
			series("asynq_tasks_failed_total", "Tasks failed.",
				func(q asynqtask.Queue) float64 { return float64(q.Failed) }),
			series("asynq_queue_paused_total", "1 when the queue is paused.",
				func(q asynqtask.Queue) float64 { return number(q.Paused) }),
		},
		states: queueDesc("asynq_tasks_enqueued_total",
			"Tasks in the queue by state (a gauge, in spite of its name).", "state"),
	}
}

func queueDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"queue"}, labels...), nil)
}

// Describe implements prometheus.Collector.
func (c queueCollector) Describe(out chan<- *prometheus.Desc) {
	for _, s := range c.series {
		out <- s.desc
	}
	out <- c.states
}

// Collect implements prometheus.Collector. While Redis does not answer
// there are no series of queues, instead of old ones.
func (c queueCollector) Collect(out chan<- prometheus.Metric) {
	queues, err := c.queues()
	if err != nil {
		c.log.Debug("queues not read", "error", err)
	}
	for _, q := range queues {
		for _, s := range c.series {
			out <- gauge(s.desc, s.read(q), q.Name)
		}
		for state, n := range q.States {
			out <- gauge(c.states, float64(n), q.Name, string(state))
		}
	}
}
