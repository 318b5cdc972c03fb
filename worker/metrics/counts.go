package metrics

import "time"

// Attempt is one ended run of a job's or shard's task.
type Attempt struct {
	Kind    string
	Phase   string // "job" or "shard"
	Outcome string
	Took    time.Duration
}

// AttemptEnded counts an attempt.
func (m *Metrics) AttemptEnded(a Attempt) {
	m.attempts.WithLabelValues(a.Kind, a.Phase, a.Outcome).Inc()
	m.attemptTime.WithLabelValues(a.Kind, a.Phase).Observe(a.Took.Seconds())
}

// JobEnded counts a job that ended in some state, such as "succeeded".
// took is the time since the job's first start. It is 0 for a job that
// was cancelled before any worker started it.
func (m *Metrics) JobEnded(kind, state string, took time.Duration) {
	m.jobs.WithLabelValues(kind, state).Inc()
	if took > 0 {
		m.jobTime.WithLabelValues(kind).Observe(took.Seconds())
	}
}

// ObjectsProcessed counts committed objects, of which some failed.
func (m *Metrics) ObjectsProcessed(kind string, objects, failed int64) {
	m.objects.WithLabelValues(kind, "ok").Add(float64(objects - failed))
	m.objects.WithLabelValues(kind, "failed").Add(float64(failed))
}

// DuplicateCommit counts a checkpoint that was committed before.
func (m *Metrics) DuplicateCommit(kind string) {
	m.duplicates.WithLabelValues(kind).Inc()
}

// ShardReplaced counts a shard that was given to another worker.
func (m *Metrics) ShardReplaced(kind, reason string) {
	m.replaced.WithLabelValues(kind, reason).Inc()
}

// JobTakenOver counts a job whose coordinator was replaced.
func (m *Metrics) JobTakenOver(kind string) {
	m.takenOver.WithLabelValues(kind).Inc()
}
