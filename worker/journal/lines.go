package journal

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// Job writes the lines about one round of a job.
type Job struct{ log *slog.Logger }

// NewJob returns a Job whose lines name the job.
func NewJob(log *slog.Logger, id string, round int, l Labels) Job {
	return Job{log.With("job", id, "round", round).With(l.Attributes()...)}
}

// Started writes that a worker begins the job, or continues it: then
// the epoch is higher.
func (j Job) Started(epoch int64) { j.log.Info("job started", "epoch", epoch) }

// Ended writes how the job has ended. problem is empty unless it failed.
func (j Job) Ended(state tasks.State, took time.Duration, p tasks.Progress, problem string) {
	log := j.log.With("state", string(state), "seconds", Seconds(took),
		"objects", p.Objects, "failed", p.Failed, "warnings", p.Warnings, "bytes", p.Bytes)
	if problem != "" {
		log.Warn("job ended", "error", problem)
		return
	}
	log.Info("job ended")
}

// Seconds returns a duration as lines of the log show it.
func Seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// WorkerName returns a name that tells the workers of a fleet apart.
func WorkerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}
