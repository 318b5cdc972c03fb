package worker

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/metrics"
)

// lastProgress passes the progress of a job on to the metrics, and
// remembers it for the log.
type lastProgress struct {
	next *metrics.JobGauge

	mu       sync.Mutex
	progress tasks.Progress
}

// Show implements coordinator.Gauge.
func (l *lastProgress) Show(p tasks.Progress) {
	l.mu.Lock()
	l.progress = p
	l.mu.Unlock()
	l.next.Show(p)
}

// logger returns a logger whose lines say which job they are about.
func (c *claim) logger() *slog.Logger {
	lease := c.job.Lease
	return c.executor.log.With("job", lease.ID, "round", lease.Round).
		With(c.attempt.labels.Attributes()...)
}

// logStart writes the line that says that this worker begins a job, or
// goes on with it: then the epoch is higher.
func (c *claim) logStart() { c.logger().Info("job started", "epoch", c.job.Lease.Epoch()) }

// logEnd writes the line that says how a job has ended.
func (c *claim) logEnd(state tasks.State, took time.Duration, err error) {
	p := c.counts()
	log := c.logger().With("state", string(state), "seconds", seconds(took),
		"objects", p.Objects, "failed", p.Failed, "bytes", p.Bytes)
	if err != nil {
		log.Warn("job ended", "error", c.executor.wording.Text(err.Error()))
		return
	}
	log.Info("job ended")
}

// counts returns what the job has done.
func (c *claim) counts() tasks.Progress {
	if c.job.Kind.Single != nil {
		return c.job.Env.Progress.Counts()
	}
	c.shown.mu.Lock()
	defer c.shown.mu.Unlock()
	return c.shown.progress
}

// logStart writes the line that says what this worker is.
func (w *Worker) logStart() {
	slots, queues := []any{}, []string{}
	for _, p := range w.pools {
		slots = append(slots, p.name, p.slots)
		queues = slices.AppendSeq(queues, maps.Keys(p.queues))
	}
	slices.Sort(queues)
	w.log.Info("worker started", "version", metrics.Version(), slog.Group("slots", slots...),
		"queues", queues, "redis", w.config.Redis.String())
}

// workerName returns a name that tells the workers of a fleet apart.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}
