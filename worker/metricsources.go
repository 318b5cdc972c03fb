package worker

import (
	"context"

	"github.com/stevedore-jobs/stevedore/worker/metrics"
)

// metricSources are what the metrics read at every scrape.
func (w *Worker) metricSources() metrics.Sources {
	s := metrics.Sources{
		Queues:   w.readQueues,
		Limits:   w.buckets.Pacer.Limits,
		RedisUp:  func() bool { return ping(context.Background(), w.prompt) == nil },
		Draining: w.draining,
		Log:      w.log,
	}
	for _, p := range w.pools {
		s.Pools = append(s.Pools, metrics.Pool{
			Name:  p.name,
			Slots: p.slots,
			Busy:  func() int { return len(p.busy) },
		})
	}
	return s
}

// readQueues reads all queues from Redis. With an error it returns those that
// it could read.
func (w *Worker) readQueues() ([]metrics.Queue, error) {
	infos, err := w.tasks.QueueInfos()
	queues := make([]metrics.Queue, len(infos))
	for i, q := range infos {
		queues[i] = metrics.Queue{
			Name: q.Queue,
			Size: q.Size,
			States: map[string]int{
				"active":    q.Active,
				"pending":   q.Pending,
				"scheduled": q.Scheduled,
				"retry":     q.Retry,
				"archived":  q.Archived,
				"completed": q.Completed,
			},
			Latency:   q.Latency,
			Memory:    q.MemoryUsage,
			Processed: q.ProcessedTotal,
			Failed:    q.FailedTotal,
			Paused:    q.Paused,
		}
	}
	return queues, err
}
