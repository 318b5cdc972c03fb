package metrics

import (
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/worker/journal"
)

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
func (m *Metrics) JobEnded(l journal.Labels, state string, took time.Duration) {
	o := m.owners.get(l.Bucket, l.Tenant, time.Now())
	m.jobs.WithLabelValues(l.Kind, o.bucket, o.tenant, state).Inc()
	if took > 0 {
		m.jobTime.WithLabelValues(l.Kind).Observe(took.Seconds())
	}
}

// ObjectsProcessed counts committed objects: those without a line on
// the error list, those with warnings, and those left out.
func (m *Metrics) ObjectsProcessed(l journal.Labels, p tasks.Progress) {
	o := m.owners.get(l.Bucket, l.Tenant, time.Now())
	m.objects.WithLabelValues(l.Kind, o.bucket, o.tenant, "ok").Add(float64(p.Objects - p.Failed))
	m.objects.WithLabelValues(l.Kind, o.bucket, o.tenant, "warning").Add(float64(p.Warnings))
	m.objects.WithLabelValues(l.Kind, o.bucket, o.tenant, "failed").Add(float64(p.LeftOut()))
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
